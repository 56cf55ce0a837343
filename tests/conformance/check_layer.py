"""`check_layer`: everything that must hold for every layer, checked for one; the tables in this folder call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.scope import Trace


def to_numpy(outputs: Any) -> list[np.ndarray]:
    """The leaves of outputs as NumPy arrays."""
    return [np.asarray(backend.to_numpy(one)) for one in tree.flatten(outputs) if one is not None]


def symbolic(inputs: Any, batch: int | None = None) -> Any:
    """Symbolic tensors like the inputs, the batch axis open."""
    return tree.map_structure(
        lambda one: keras.Input(batch_shape=(batch, *one.shape[1:]), dtype=str(one.dtype)), inputs
    )


def check_layer(
    make: Callable[[], keras.Layer],
    inputs: Any,
    *,
    weights: int | None = None,
    trainable: int | None = None,
    training_differs: bool = False,
    mixed: bool = True,
    gradients: bool = True,
    config: dict[str, Any] | None = None,
    tmp_path: Any = None,
) -> keras.Layer:
    """Checks one layer; returns it, built.

    Args:
        make: Makes the layer.
        inputs: NumPy arrays in the structure of the layer's input.
        weights: How many weights it has.
        trainable: How many of them are trained.
        training_differs: Whether `training=True` must give something else.
        mixed: Whether it must work under mixed precision.
        gradients: Whether gradients by its inputs must exist.
        config: What its config must contain.
        tmp_path: A folder; with it a model of the layer is saved and loaded.
    """
    layer = make()
    outputs = layer(inputs)
    expected = to_numpy(outputs)
    if weights is not None:
        assert len(layer.weights) == weights, [one.path for one in layer.weights]
    if trainable is not None:
        assert len(layer.trainable_weights) == trainable
    assert layer.built
    for one in expected:
        assert np.all(np.isfinite(one)) or one.dtype.kind not in "fc"
    _check_config(layer, inputs, expected, config)
    _check_symbolic(make, inputs, expected)
    _check_shapes(layer, inputs, expected)
    _check_pure(layer, inputs, expected)
    if training_differs and "gradients" in backend.features:
        again = to_numpy(layer(inputs, training=True))
        assert any(not np.allclose(a, b) for a, b in zip(expected, again, strict=True))
    if mixed:
        _check_mixed(layer, inputs)
    if gradients and "gradients" in backend.features:
        _check_gradients(layer, inputs)
    if tmp_path is not None:
        _check_saving(layer, inputs, expected, tmp_path)
    return layer


def _check_config(layer: keras.Layer, inputs: Any, expected: list[np.ndarray], wanted: dict[str, Any] | None) -> None:
    config = layer.get_config()
    text = json.dumps(config)  # plain data only
    for name, value in (wanted or {}).items():
        assert config[name] == value, (name, config[name], value)
    copy = type(layer).from_config(json.loads(text))
    assert json.dumps(copy.get_config()) == text
    again = to_numpy(copy(inputs))
    assert [one.shape for one in again] == [one.shape for one in expected]
    if layer.weights:
        copy.set_weights(layer.get_weights())
    for a, b in zip(expected, to_numpy(copy(inputs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def _check_symbolic(make: Callable[[], keras.Layer], inputs: Any, expected: list[np.ndarray]) -> None:
    layer = make()
    found = tree.flatten(layer(symbolic(inputs)))
    assert len(found) == len(expected)
    for tensor, array in zip(found, expected, strict=True):
        assert len(tensor.shape) == array.ndim, (tensor.shape, array.shape)
        for size, real in zip(tensor.shape, array.shape, strict=True):
            assert size in (None, real), (tensor.shape, array.shape)
        assert tensor.dtype == backend.dtype(backend.asarray(array)), (tensor.dtype, array.dtype)
    # the rule of the class, held against the truth
    structs = symbolic(inputs)
    truth = tree.flatten(keras.Layer.compute_output_spec(_bare(layer), structs))
    for rule, real in zip(found, truth, strict=True):
        assert rule.shape == real.shape and rule.dtype == real.dtype, (rule, real)


class _bare:
    """A layer seen without its `compute_output_shape`, so that shapes come from evaluation."""

    def __new__(cls, layer: keras.Layer) -> Any:
        members = {"compute_output_shape": keras.Layer.compute_output_shape}
        bare = type(type(layer).__name__, (type(layer),), members)
        copy = object.__new__(bare)
        copy.__dict__.update(layer.__dict__)
        return copy


def _check_shapes(layer: keras.Layer, inputs: Any, expected: list[np.ndarray]) -> None:
    shapes = layer.compute_output_shape(tree.map_structure(lambda one: tuple(one.shape), inputs))
    flat = [shapes] if tree.is_shape(shapes) else [one for one in shapes]
    assert [tuple(one) for one in flat] == [one.shape for one in expected]


def _check_pure(layer: keras.Layer, inputs: Any, expected: list[np.ndarray]) -> None:
    before = [one.numpy() for one in layer.variables]
    with Trace():
        layer(inputs, training=True)
    outputs, state = layer.stateless_call(
        [one.value for one in layer.trainable_variables], [one.value for one in layer.non_trainable_variables], inputs
    )
    assert len(state) == len(layer.non_trainable_variables)
    for a, b in zip(expected, to_numpy(outputs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    for a, one in zip(before, layer.variables, strict=True):
        np.testing.assert_array_equal(a, one.numpy())


def _check_mixed(layer: keras.Layer, inputs: Any) -> None:
    for policy, dtype in (("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16"), ("bfloat16", "bfloat16")):
        config = layer.get_config()
        config["dtype"] = policy
        copy = type(layer).from_config(config)
        outputs = [one for one in tree.flatten(copy(inputs)) if one is not None]
        for one in outputs:
            if keras.backend.is_float_dtype(one.dtype):
                assert backend.dtype(one) == dtype, (policy, one.dtype)
        for variable in copy.trainable_variables:
            assert variable.dtype == ("float32" if policy.startswith("mixed") else dtype)


def _check_gradients(layer: keras.Layer, inputs: Any) -> None:
    leaves, description = tree.flatten_and_structure(inputs)
    if not all(np.asarray(one).dtype.kind == "f" for one in leaves):
        return
    variables = [keras.Variable(one) for one in leaves]

    def loss() -> Any:
        outputs = layer(tree.unflatten(description, [one.value for one in variables]))
        total = 0.0
        for one in tree.flatten(outputs):
            if one is not None and keras.backend.is_float_dtype(one.dtype):
                total = total + keras.ops.sum(one * one)
        return total

    _, found = keras.value_and_grad(loss, [*variables, *layer.trainable_variables])
    for one in found:
        assert np.all(np.isfinite(backend.to_numpy(one)))


def _check_saving(layer: keras.Layer, inputs: Any, expected: list[np.ndarray], folder: Any) -> None:
    start = symbolic(inputs)
    model = keras.Model(start, layer(start))
    path = folder / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    for a, b in zip(expected, to_numpy(loaded(inputs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
