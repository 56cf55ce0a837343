"""Holds hornbeam's public names against a list of Keras's: which are there, and with which signatures."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import hornbeam
from hornbeam.errors import FileFormatError

Status = Literal["same", "differs", "missing"]
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Finding(NamedTuple):
    """What became of one public name: `detail` says in words what is missing or differs."""

    name: str
    status: Status
    detail: str = ""

    @property
    def namespace(self) -> str:
        """The name without its last part, such as "keras.layers"."""
        return self.name.rpartition(".")[0]


def read_names(path: str | Path | None = None) -> dict[str, tuple[str, list[str]]]:
    """Keras's public names, each with its kind ("class" or "function") and its parameters in order.

    Args:
        path: A json file; that of the installed package, or of the checkout, if None.
    """
    here = Path(__file__).parent
    places = (
        [Path(path)] if path else [here / "keras_names.json", here.parents[1] / "tests" / "api" / "keras_names.json"]
    )
    for place in places:
        if place.is_file():
            return {name: (kind, parameters) for name, (kind, parameters) in json.loads(place.read_text()).items()}
    raise FileFormatError("the list of Keras's names", "no such file", str(places[0]), "Give another with --names.")


def findings(names: Mapping[str, tuple[str, Sequence[str]]]) -> list[Finding]:
    """Compares each name, in the order given."""
    return [_compare(name, kind, parameters) for name, (kind, parameters) in names.items()]


def locate(name: str) -> Any:
    """What hornbeam has under a name of Keras.

    Raises:
        AttributeError: If there is nothing.
    """
    found: Any = hornbeam
    for part in name.split(".")[1:]:
        try:
            found = getattr(found, part)
        except AttributeError:
            if not inspect.ismodule(found):
                raise
            try:  # a module that its package does not list
                found = importlib.import_module(f"{found.__name__}.{part}")
            except ModuleNotFoundError:
                raise AttributeError(f"hornbeam has no {name!r}") from None
    return found


def _compare(name: str, kind: str, expected: Sequence[str]) -> Finding:
    try:
        found = locate(name)
    except (AttributeError, ImportError) as problem:
        return Finding(name, "missing", "" if isinstance(problem, AttributeError) else str(problem))
    if kind == "class" and not inspect.isclass(found):
        return Finding(name, "differs", f"a class in Keras, {type(found).__name__} here")
    if not callable(found):
        return Finding(name, "differs", f"a {kind} in Keras, {type(found).__name__} here")
    try:
        ours = _parameters(found)
    except ValueError:
        return Finding(name, "differs", "no signature that can be read")
    detail = _difference(expected, ours)
    return Finding(name, "differs" if detail else "same", detail)


def _parameters(target: Any) -> list[inspect.Parameter]:
    if not inspect.isclass(target):
        return list(inspect.signature(target).parameters.values())
    # Not `signature(target)`: a base with `__new__(cls, *args, **kwargs)` would hide what `__init__` takes.
    if target.__init__ is object.__init__:
        return []
    return list(inspect.signature(target.__init__).parameters.values())[1:]


def _difference(expected: Sequence[str], ours: Sequence[inspect.Parameter]) -> str:
    """In words, why a call that suits `expected` may fail with `ours`; empty if it cannot."""
    by_name = {one.name: one for one in ours}
    swallows = {one.kind for one in ours}
    wanted_positional: list[str] = []
    keyword_only = False
    for text in expected:
        name, _, default = text.partition("=")
        if name.startswith("**"):
            continue
        if name.startswith("*"):
            if inspect.Parameter.VAR_POSITIONAL not in swallows and len(name) > 1:
                return f"no {name}"
            keyword_only = True
            continue
        if name not in by_name:
            return f"no parameter {name!r}"
        if not keyword_only:
            wanted_positional.append(name)
        if default and (problem := _default_difference(name, default, by_name[name])):
            return problem
    positional = [one.name for one in ours if one.kind in _POSITIONAL][: len(wanted_positional)]
    if positional != wanted_positional:
        return f"order ({', '.join(positional)}) in place of ({', '.join(wanted_positional)})"
    names = {text.partition("=")[0] for text in expected}
    more = [
        one.name
        for one in ours
        if one.name not in names
        and one.default is one.empty
        and one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]
    return f"also requires {', '.join(more)}" if more else ""


def _default_difference(name: str, text: str, ours: inspect.Parameter) -> str:
    if ours.default is ours.empty:
        return f"{name} has no default"
    try:
        wanted = ast.literal_eval(text)
    except (ValueError, SyntaxError):  # a default that only Keras can say
        return ""
    same = type(wanted) in (type(ours.default), int, float) and wanted == ours.default
    return "" if same else f"{name}={ours.default!r} in place of {text}"
