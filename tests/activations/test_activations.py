"""Activations: names, wire forms, and where they differ from the op of the same name."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from hornbeam import KerasTensor, activations, ops

NAMES = [name for name in activations.__all__ if name not in ("get", "serialize", "deserialize")]
X = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 8.0], "float32")


@pytest.mark.parametrize("name", NAMES)
def test_names_and_functions_stand_for_each_other(name: str) -> None:
    function = getattr(activations, name)
    assert activations.get(name) is function
    assert activations.get(function) is function
    written = activations.serialize(function)
    assert written == {"swish": "silu", "hard_swish": "hard_silu"}.get(name, name)
    assert activations.deserialize(written) is function


@pytest.mark.parametrize("name", NAMES)
def test_symbolic_equals_eager(name: str) -> None:
    function = getattr(activations, name)
    arguments = (0.5, 0.0) if name == "threshold" else ()
    wide = np.concatenate([X, X])[None]
    got = function(wide, *arguments)
    symbol = function(KerasTensor((None, 14)), *arguments)
    assert symbol.shape == (None, *got.shape[1:]) and symbol.dtype == ops.dtype(got)


def test_names_and_signatures_are_those_of_keras(shared: Path) -> None:
    listed = json.loads((shared / "api" / "keras_api.json").read_text())
    wanted = {name.rpartition(".")[2]: one["signature"] for name, one in listed.items()
              if name.startswith("keras.activations.")}
    assert set(wanted) == set(activations.__all__)
    for name, signature in wanted.items():
        parameters = inspect.signature(getattr(activations, name)).parameters.values()
        got = [one.name if one.default is one.empty else f"{one.name}={one.default!r}" for one in parameters]
        assert got == signature or name in ("serialize",)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [0, 0, 0, 0, 0.5, 1, 8]),
        ({"max_value": 6.0}, [0, 0, 0, 0, 0.5, 1, 6]),
        ({"negative_slope": 0.1}, [-0.3, -0.1, -0.05, 0, 0.5, 1, 8]),
        ({"threshold": 1.0}, [0, 0, 0, 0, 0, 0, 8]),
        ({"negative_slope": 0.1, "max_value": 6.0, "threshold": 0.5}, [-0.35, -0.15, -0.1, -0.05, 0, 1, 6]),
    ],
)
def test_relu_with_a_slope_a_limit_and_a_threshold(options: dict, wanted: list) -> None:
    np.testing.assert_allclose(ops.convert_to_numpy(activations.relu(X, **options)), wanted, atol=1e-6)
    operation = activations.relu(KerasTensor((None, 7)), **options)._keras_history.operation
    np.testing.assert_allclose(ops.convert_to_numpy(operation(X)), wanted, atol=1e-6)
    defaults = {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}
    assert operation.get_config() == {"name": operation.name, **defaults, **options}


def test_gelu_is_exact_unless_told() -> None:
    np.testing.assert_allclose(float(activations.gelu(1.0)), 0.8413447, rtol=1e-6)
    np.testing.assert_allclose(float(activations.gelu(1.0, approximate=True)), 0.841192, rtol=1e-6)


def test_none_is_linear_and_unknown_names_are_refused() -> None:
    assert activations.get(None) is activations.linear
    assert activations.linear(X) is X
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        activations.get("rleu")
    with pytest.raises(ValueError, match="activation"):
        activations.get(3)


def test_callables_are_taken_as_they_are() -> None:
    def mine(x: np.ndarray) -> np.ndarray:
        return x

    assert activations.get(mine) is mine
