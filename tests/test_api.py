"""Keras's public names: how many hornbeam has may only grow, and what is left out on purpose has a reason."""

import inspect
import json

import pytest

from hornbeam.cli import api
from tests.api.raise_ratchet import RATCHET
from tests.known_gaps import GAPS


@pytest.fixture(scope="module")
def found() -> dict[str, api.Finding]:
    return {one.name: one for one in api.findings(api.read_names())}


def test_counts_do_not_fall(found):
    ratchet = json.loads(RATCHET.read_text())
    there = sum(one.status != "missing" for one in found.values())
    same = sum(one.status == "same" for one in found.values())
    print(f"{there} of {len(found)} names are there, {same} with Keras's signature")
    assert there >= ratchet["there"], "public names were lost; see python -m hornbeam info --api --missing"
    assert same >= ratchet["same"], "signatures changed; see python -m hornbeam info --api --missing"


def test_known_gaps_are_still_gaps_and_have_reasons(found):
    for name, reason in GAPS.items():
        assert name in found, f"{name} is no public name of Keras"
        assert found[name].status != "same", f"{name} is there now; take its row out"
        assert len(reason.split()) >= 3, f"{name} needs a reason"


def test_the_list_is_the_reference(found, shared):
    reference = json.loads((shared / "api" / "keras_api.json").read_text())
    assert api.read_names() == {name: (one["kind"], one["signature"]) for name, one in reference.items()}


def test_public_things_are_documented(found):
    bare = {
        target.__qualname__
        for name, one in found.items()
        if one.status != "missing"
        and (inspect.isclass(target := api.locate(name)) or inspect.isfunction(target))
        and not (target.__doc__ or "").strip()
    }
    assert not bare, f"public names without a docstring: {sorted(bare)}"


class Keyword:
    def __init__(self, a, b=1, *, c="x", **kwargs):
        pass


class Plain:
    pass


def function(x, axis=None, more=3):
    pass


@pytest.mark.parametrize(
    ("target", "expected", "problem"),
    [
        (function, ["x", "axis=None"], ""),
        (function, ["x", "axis=None", "more=3"], ""),
        (function, ["x", "more=3", "axis=None"], "order"),
        (function, ["x", "axis=-1"], "axis=None in place of -1"),
        (function, ["x", "dtype=None"], "no parameter 'dtype'"),
        (function, ["axis=None"], "order"),
        (function, ["x=1"], "x has no default"),
        (function, ["*x"], "no *x"),
        (function, ["x", "**kwargs"], ""),
        (function, ["x", "axis=None", "more=3.0"], ""),
        (function, ["x", "more=True"], "more=3 in place of True"),
        (Keyword, ["a", "b=1", "*", "c='x'"], ""),
        (Keyword, ["a", "b=1", "c='x'"], "order"),
        (Keyword, ["a", "d=None", "**kwargs"], "no parameter 'd'"),
        (Plain, [], ""),
        (lambda x, y: 0, ["x"], "also requires y"),
        (lambda *xs: 0, ["*tensors"], ""),
    ],
)
def test_signatures_are_compared_by_what_calls_they_allow(target, expected, problem):
    difference = api._difference(expected, api._parameters(target))
    assert difference.startswith(problem) if problem else not difference
