"""`check_layer`: everything that must hold for every layer, checked for one; the tables in this folder call it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.scope import Trace
from hornbeam.symbolic import infer

# JAX compiles each op of a new shape or dtype: there a layer is evaluated without data where that shows the same.
OPS_ARE_DEAR = backend.name == "jax"


def to_numpy(outputs: Any) -> list[np.ndarray]:
    """The leaves of outputs as NumPy arrays."""
    return [np.asarray(backend.to_numpy(one)) for one in tree.flatten(outputs) if one is not None]


def as_settings(call: dict[str, Any] | None) -> dict[str, Any]:
    """Arguments of a call with arrays as tensors."""

    def tensor(value: Any) -> Any:
        return backend.asarray(value) if isinstance(value, np.ndarray) else value

    return {name: tree.map_structure(tensor, value) for name, value in (call or {}).items()}


def build_by_shape(layer: keras.Layer, inputs: tuple) -> None:
    """Builds a layer for inputs like these, as far as its `build` asks for their shapes."""
    shapes = tree.map_structure(lambda one: tuple(one.shape), inputs)
    layer.build(*shapes[: len(inspect.signature(layer.build).parameters)])


def symbolic(inputs: Any, batch: int | None = None, open_axes: bool = False) -> Any:
    """Symbolic tensors like the inputs, the batch axis open; with `open_axes` all but the last."""

    def like(one: np.ndarray) -> Any:
        middle = (None,) * (one.ndim - 2) if open_axes else one.shape[1:-1]
        return keras.Input(batch_shape=(batch, *middle, *one.shape[1:][-1:]), dtype=str(one.dtype))

    return tree.map_structure(like, inputs)


class Program:
    """A layer with its gradients in one program, which runs with whatever weights: making one takes longest here."""

    def __init__(
        self, layer: keras.Layer, inputs: tuple, settings: dict[str, Any], gradients: bool = True, train: bool = False
    ) -> None:
        """Nothing is compiled before the first run.

        Args:
            layer: Built; its variables change with each run.
            inputs: The positional arguments of the call, NumPy arrays.
            settings: Further arguments of the call.
            gradients: Whether gradients are asked for, if the backend has them.
            train: Whether the program also calls with `training=True`.
        """
        leaves, description = tree.flatten_and_structure(inputs)
        moving = {i: keras.Variable(one) for i, one in enumerate(leaves) if one.dtype == np.float32}
        self.layer, self.train = layer, train
        self.by = [*layer.trainable_variables, *moving.values()]
        if not gradients or "gradients" not in backend.features:
            self.by = []

        def called(settings: dict[str, Any]) -> Any:
            """What the gradients are of, and what the call left."""
            values = [moving[i].value if i in moving else backend.asarray(one) for i, one in enumerate(leaves)]
            outputs = layer(*tree.unflatten(description, values), **settings)
            total = sum(keras.ops.sum(one) for one in layer.losses)
            for one in tree.flatten(outputs):
                if self.by and one is not None and keras.backend.is_float_dtype(one.dtype):
                    weights = np.cos(np.arange(np.prod(tuple(one.shape)), dtype="float32")).reshape(tuple(one.shape))
                    total = total + keras.ops.sum(keras.ops.multiply(one, weights))
            return total * 1.0, (outputs, layer.losses, [one.value for one in layer.non_trainable_variables])

        def once(settings: dict[str, Any]) -> Any:
            if not self.by:
                return called(settings)[1], []
            (_, left), gradients = keras.value_and_grad(lambda: called(settings), self.by, has_aux=True)
            return left, gradients

        both = [settings, {**settings, "training": True}] if train else [settings]
        self._run = lambda: [once(one) for one in both]
        if "compile" in backend.features:
            self._run = keras.jit(self._run)

    def __call__(self, weights: list[np.ndarray]) -> dict[str, list[np.ndarray]]:
        """Runs it with these weights of the layer.

        Returns:
            NumPy arrays: the outputs `"out"`, the sum of the `"losses"`, the `"gradients"`; those of the call with
            `training=True` as `"train"` and `"train_gradients"`, with the variables after it as `"state"`.
        """
        self.layer.set_weights(weights)
        found: dict[str, list[np.ndarray]] = {}
        for kind, ((outputs, losses, state), gradients) in zip(("", "train_"), self._run(), strict=False):
            found["train" if kind else "out"] = to_numpy(outputs)
            found[f"{kind}gradients"] = to_numpy(gradients)
            if kind:
                found["state"] = to_numpy(state)
            else:
                found["losses"] = [np.float32(sum(np.sum(one) for one in to_numpy(losses)))]
        return found


def close(got: list[np.ndarray], wanted: list[np.ndarray], tolerance: float = 1e-6) -> None:
    """The same shapes and dtypes, and values to a tolerance."""
    assert [(one.shape, one.dtype) for one in got] == [(one.shape, one.dtype) for one in wanted]
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def check_layer(
    make: Callable[[], keras.Layer],
    inputs: Any,
    *,
    spread: bool = False,
    weights: int | None = None,
    trainable: int | None = None,
    call: dict[str, Any] | None = None,
    training_differs: bool = False,
    mixed: bool = True,
    gradients: bool = True,
    open_axes: bool = False,
    config: dict[str, Any] | None = None,
    tmp_path: Any = None,
    program: Program | None = None,
) -> keras.Layer:
    """Checks one layer; returns it, built.

    Args:
        make: Makes the layer.
        inputs: NumPy arrays in the structure of the layer's input.
        spread: Whether `inputs` is a list of several inputs of the call, not one.
        weights: How many weights it has.
        trainable: How many of them are trained.
        call: Further arguments of the call, such as `mask`; arrays become tensors.
        training_differs: Whether `training=True` must give something else; if not, it must give the same.
        mixed: Whether it must work under mixed precision.
        gradients: Whether gradients by its inputs must exist, and be finite in the program.
        open_axes: Whether symbolic inputs may leave all axes but the last open.
        config: What its config must contain.
        tmp_path: A folder; with it a model of the layer is saved and loaded.
        program: A program of another such layer and the same call, held against what runs op by op.
    """
    layer = make()
    assert not layer.weights or layer.built, "variables come with build"
    settings = as_settings(call)
    flags = {
        name: value for name, value in settings.items() if not any(map(backend.is_array, tree.flatten(value)))
    }
    inputs = tuple(inputs) if spread else (inputs,)  # the positional arguments of the call
    outputs = layer(*inputs, **settings)
    expected = to_numpy(outputs)
    losses = to_numpy(layer.losses)
    if weights is not None:
        assert len(layer.weights) == weights, [one.path for one in layer.weights]
    if trainable is not None:
        assert len(layer.trainable_weights) == trainable
    assert layer.built
    for one in expected:
        assert np.all(np.isfinite(one)) or one.dtype.kind not in "fc"
    _check_variables(layer)
    _check_config(layer, inputs, settings, expected, config)
    _check_build(make, layer, inputs)
    _check_symbolic(make, inputs, flags, expected, open_axes)
    _check_shapes(layer, inputs, flags, expected)
    _check_pure(layer, inputs, settings, expected)
    trained = _check_training(layer, inputs, settings, expected, training_differs)
    _check_empty(layer, inputs, flags, expected)
    if mixed:
        _check_mixed(layer, inputs, flags)
    if program is not None:
        op_by_op = {"out": expected, "losses": [np.float32(sum(np.sum(one) for one in losses))], **trained}
        _check_program(layer, program, op_by_op, gradients)
    if tmp_path is not None:
        _check_saving(layer, inputs, flags, expected, tmp_path)
    return layer


def _whole(inputs: tuple) -> Any:
    """The inputs of a model of the layer alone."""
    return inputs[0] if len(inputs) == 1 else list(inputs)


def _check_variables(layer: keras.Layer) -> None:
    assert len({id(one) for one in layer.variables}) == len(layer.variables)
    for variable in layer.weights:
        assert variable.path.split("/")[0] == layer.name, variable.path
    for one in layer.weights:
        assert any(one is other for other in layer.variables)
    assert len({one.path for one in layer.weights}) == len(layer.weights)
    assert layer.count_params() == sum(one.numpy().size for one in layer.weights)
    for all_of, parts in (
        (layer.weights, [*layer.trainable_weights, *layer.non_trainable_weights]),
        (layer.variables, [*layer.trainable_variables, *layer.non_trainable_variables]),
    ):
        assert sorted(map(id, all_of)) == sorted(map(id, parts))
    kept = layer.trainable
    layer.trainable = False
    assert not layer.trainable_variables
    layer.trainable = kept
    before = layer.get_weights()
    layer.set_weights(before)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def _check_config(
    layer: keras.Layer, inputs: Any, settings: dict[str, Any], expected: list[np.ndarray], wanted: dict[str, Any] | None
) -> None:
    config = layer.get_config()
    text = json.dumps(config, sort_keys=True)  # plain data only
    for name, value in (wanted or {}).items():
        assert config[name] == value, (name, config[name], value)
    copy = type(layer).from_config(json.loads(text))
    assert json.dumps(copy.get_config(), sort_keys=True) == text
    # a config in full, with module and class, goes through the registry
    again = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.layers.serialize(layer))), safe_mode=False
    )
    assert type(again) is type(layer) and json.dumps(again.get_config(), sort_keys=True) == text
    found = to_numpy(copy(*inputs, **settings))
    assert [one.shape for one in found] == [one.shape for one in expected]
    if layer.weights:
        copy.set_weights(layer.get_weights())
    close(to_numpy(copy(*inputs, **settings)), expected)


def _check_build(make: Callable[[], keras.Layer], layer: keras.Layer, inputs: Any) -> None:
    """Building by shape makes what the first call makes, and so does the record of it in files."""
    facts = [(one.name, one.shape, one._dtype) for one in layer.weights]
    by_shape = make()
    build_by_shape(by_shape, inputs)
    assert by_shape.built
    assert [(one.name, one.shape, one._dtype) for one in by_shape.weights] == facts
    again = make()
    if again.built:
        return
    record = json.loads(json.dumps(layer.get_build_config()))
    again.build_from_config(record)
    if record is not None:
        assert again.built
    if again.built:
        assert [(one.name, one.shape, one._dtype) for one in again.weights] == facts


def _check_symbolic(
    make: Callable[[], keras.Layer], inputs: Any, flags: dict[str, Any], expected: list[np.ndarray], open_axes: bool
) -> None:
    for some_open in (False, True) if open_axes else (False,):
        layer = make()
        structs = symbolic(inputs, open_axes=some_open)
        found = tree.flatten(layer(*structs, **flags))
        assert len(found) == len(expected)
        for tensor, array in zip(found, expected, strict=True):
            assert len(tensor.shape) == array.ndim, (tensor.shape, array.shape)
            for size, real in zip(tensor.shape, array.shape, strict=True):
                assert size in (None, real), (tensor.shape, array.shape)
            assert tensor.dtype == backend.dtype(backend.asarray(array)), (tensor.dtype, array.dtype)
        # the rule of the class, held against the truth
        for rule, real in zip(found, tree.flatten(truth(layer, structs, **flags)), strict=True):
            assert rule.shape == real.shape and rule.dtype == real.dtype, (some_open, rule, real)
        # a graph made with open axes runs on data
        model = keras.Model(_whole(structs), layer(*structs, **flags))
        close([one[:0] for one in to_numpy(model(_whole(inputs)))], [one[:0] for one in expected])


def truth(layer: keras.Layer, inputs: Any, **settings: Any) -> Any:
    """The symbolic outputs by evaluation, whatever rule for shapes the layer has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "probe_sizes", (12, 24))  # torch takes each step of a sequence by itself
        return infer(lambda *given: layer(*given, **settings), inputs, {})


def _check_shapes(layer: keras.Layer, inputs: Any, flags: dict[str, Any], expected: list[np.ndarray]) -> None:
    known = inspect.signature(layer.compute_output_shape).parameters
    asked = {name: value for name, value in flags.items() if name in known}
    shapes = layer.compute_output_shape(*tree.map_structure(lambda one: tuple(one.shape), inputs), **asked)
    flat: list[tuple] = []
    tree.map_shape_structure(flat.append, shapes)
    assert [tuple(one) for one in flat] == [one.shape for one in expected[: len(flat)]]  # extras come on demand


def _check_pure(layer: keras.Layer, inputs: Any, settings: dict[str, Any], expected: list[np.ndarray]) -> None:
    before = [one.numpy() for one in layer.variables]
    with Trace():
        layer(*inputs, training=True, **settings)
    outputs, state = layer.stateless_call(
        [one.value for one in layer.trainable_variables],
        [one.value for one in layer.non_trainable_variables],
        *inputs,
        **settings,
    )
    assert len(state) == len(layer.non_trainable_variables)
    close(to_numpy(outputs), expected, 1e-5)
    for a, one in zip(before, layer.variables, strict=True):
        np.testing.assert_array_equal(a, one.numpy())


def _check_training(
    layer: keras.Layer, inputs: Any, settings: dict[str, Any], expected: list[np.ndarray], differs: bool
) -> dict[str, list[np.ndarray]]:
    """Returns the outputs of training, and the state after it."""
    state = layer.get_weights()
    again = to_numpy(layer(*inputs, training=True, **settings))
    after = to_numpy([one.value for one in layer.non_trainable_variables])
    assert [(one.shape, one.dtype) for one in again] == [(one.shape, one.dtype) for one in expected]
    same = all(np.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in zip(expected, again, strict=True))
    assert same is not differs
    layer.set_weights(state)
    close(to_numpy(layer(*inputs, training=False, **settings)), expected)
    return {"train": again, "state": after}


def _check_empty(layer: keras.Layer, inputs: Any, flags: dict[str, Any], expected: list[np.ndarray]) -> None:
    """No samples in, none out."""
    copy = type(layer).from_config(layer.get_config())
    nothing = tree.map_structure(lambda one: one[:0], inputs)
    if OPS_ARE_DEAR:  # a program for each op would cost more than all other checks
        build_by_shape(copy, inputs)
        found = tree.flatten(truth(copy, symbolic(nothing, batch=0), **flags))
    else:
        found = to_numpy(copy(*nothing, **flags))
    assert [one.shape for one in found] == [(0, *one.shape[1:]) for one in expected]


def _check_mixed(layer: keras.Layer, inputs: Any, flags: dict[str, Any]) -> None:
    for policy, dtype in (
        ("mixed_bfloat16", "bfloat16"),
        ("mixed_float16", "float16"),
        ("bfloat16", "bfloat16"),
        ("float16", "float16"),
    ):
        config = layer.get_config()
        config["dtype"] = policy
        copy = type(layer).from_config(config)
        # sizes all known: what open ones change is checked above, and costs a second evaluation
        structs = tree.map_structure(lambda one: keras.Input(batch_shape=one.shape, dtype=str(one.dtype)), inputs)
        found = [copy(*structs, **flags), truth(copy, structs, **flags, training=False)]
        if OPS_ARE_DEAR:
            found.append(truth(copy, structs, **flags, training=True))
        else:
            found += [copy(*inputs, **flags, training=training) for training in (False, True)]
        for one in tree.flatten(found):
            if keras.backend.is_float_dtype(one.dtype):
                assert keras.backend.standardize_dtype(one.dtype) == dtype, (policy, one.dtype)
        for variable in copy.trainable_variables:
            assert variable.dtype == ("float32" if policy.startswith("mixed") else dtype)


def _check_program(
    layer: keras.Layer, program: Program, op_by_op: dict[str, list[np.ndarray]], gradients: bool
) -> None:
    """Compiled as eager, and finite gradients by all float inputs and all trained variables."""
    found = program(layer.get_weights())
    for kind in ("out", "losses", *(("train", "state") if program.train else ())):
        close(found[kind], op_by_op[kind], 1e-5)
    if gradients:
        for one, variable in zip(found["gradients"], program.by, strict=True):
            assert np.all(np.isfinite(one))
            assert tuple(one.shape) == tuple(variable.shape)


def _check_saving(
    layer: keras.Layer, inputs: Any, flags: dict[str, Any], expected: list[np.ndarray], folder: Any
) -> None:
    start = symbolic(inputs)
    model = keras.Model(_whole(start), layer(*start, **flags))
    wanted = to_numpy(model(_whole(inputs)))
    assert [one.shape for one in wanted] == [one.shape for one in expected]
    path = folder / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    close(to_numpy(loaded(_whole(inputs))), wanted)
