"""What makes hornbeam's variables and layers TensorFlow's own: tapes, modules, checkpoints and SavedModels see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hornbeam import tree
from hornbeam.backend.base import LayerBase
from hornbeam.backend.tensorflow import replicas
from hornbeam.backend.tensorflow.framework import tf
from hornbeam.errors import ArgumentError, UnknownNameError

# what TensorFlow does not take in the name of an operation
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_TRACKED = tf.__internal__.tracking.Trackable


class DtypeName(str):
    """A name of a dtype with the attributes of the `tf.DType`, for which TensorFlow's functions ask variables."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(tf.as_dtype(str(self)), name)


class Sizes(tuple):
    """A shape with the attributes of the `tf.TensorShape`, for which TensorFlow's functions ask variables."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(tf.TensorShape(self), name)


class VariableBase(tf.__internal__.types.Tensor, _TRACKED):
    """A variable that functions of TensorFlow take as a tensor, and tapes as a source of gradients.

    The variable holds a `tf.Variable` in `_handle`.
    """

    # by this mark a `tf.GradientTape` takes the handle below for what it watched
    _should_act_as_resource_variable = True
    _handle: Any

    @property
    def handle(self) -> Any:
        """The resource of the `tf.Variable` inside."""
        return replicas.copies(self._handle)[0][0].handle  # outside of replicas that of the first, which is read there

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return tf.convert_to_tensor(self.value, dtype=dtype, name=name)

    @property
    def device(self) -> str:
        """The device that holds the value, as TensorFlow names it."""
        return self._handle.device

    @property
    def op(self) -> Any:
        """In a graph, the operation that reads the value."""
        return tf.convert_to_tensor(self.value).op

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        # asked by a tf.train.Checkpoint of variables
        return {"value": self._handle}


class ModuleBase(LayerBase, tf.Module):
    """A layer as a `tf.Module`, whose children are what the layer itself keeps account of."""

    # `tf.Module` computes it from a scope; layers have their own
    name: str = ""

    @property
    def _hooked(self) -> bool:
        return not tf.executing_eagerly()

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        # in a graph, so that errors and profiles of TensorFlow name the layer that an operation belongs to
        with tf.name_scope(_NOT_IN_NAMES.sub("_", self.name).lstrip("_") or "layer"):
            return self._apply_layer(*args, **kwargs)

    def __init__(self) -> None:
        # instead of that of `tf.Module`, which sets names; a module that holds the layer looks here for variables
        self.__dict__["_native_variables"] = _Handles(self)

    # not those of TensorFlow, which wrap lists and dicts in classes of their own
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    @property
    def submodules(self) -> tuple:
        """The layers inside, at any depth."""
        return tuple(self._flatten_layers(include_self=False))

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        # asked by tf.train.Checkpoint and tf.saved_model.save
        # by their places: names count up, so that those of an equal model differ
        children: dict[str, Any] = {f"variable_{place}": one._handle for place, one in enumerate(_all_variables(self))}
        for place, layer in enumerate(self._flatten_layers()):
            for name, value in layer.__dict__.items():
                if isinstance(value, _TRACKED) and not isinstance(value, _OWN):
                    children[f"layer_{place}.{name}"] = value
        if save_type == "savedmodel":
            # in a tuple, in which no child is looked for; the same one each time TensorFlow asks
            (serving,) = self.__dict__.get("_serving") or (serving_function(self),)
            self.__dict__["_serving"] = None if serving is None else (serving,)
            if serving is not None:
                children["_default_save_signature"] = children["__call__"] = serving
        return children

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.pop("_serving", None)
        return state


class StateBase(_TRACKED):
    """An object whose variables a `tf.train.Checkpoint` keeps, beside layers: an optimizer."""

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        return {f"{place}": one._handle for place, one in enumerate(self.variables)}


_OWN = (VariableBase, ModuleBase, StateBase, tf.Variable)


class _Handles(Sequence):
    """The `tf.Variable`s of a layer's own, as they are at the moment."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def _now(self) -> list[Any]:
        return [one._handle for one in self._layer._own_variables()]

    def __len__(self) -> int:
        return len(self._now())

    def __getitem__(self, index: Any) -> Any:
        return self._now()[index]

    def __deepcopy__(self, memo: dict) -> _Handles:
        return _Handles(memo.get(id(self._layer), self._layer))


def _all_variables(layer: Any) -> list[Any]:
    found = {id(one): one for one in layer.variables}
    return list(found.values())


def serving_function(layer: Any) -> Callable | None:
    """The layer in inference as a `tf.function` with a signature, or None if its inputs are not known yet."""
    specs = _input_specs(layer)
    if specs is None:
        return None

    @tf.function(autograph=False, input_signature=[specs])
    def serving(inputs: Any) -> Any:
        with tf.init_scope():
            takes = layer._call_signature.has_training
        return layer(inputs, training=False) if takes else layer(inputs)

    return serving


def _input_specs(layer: Any) -> Any:
    _ = getattr(layer, "inputs", None)  # makes the graph of a model that has not needed it yet
    inputs = getattr(layer, "_inputs_struct", None)
    if inputs is None:
        inputs = getattr(getattr(layer, "_function", None), "_inputs_struct", None)
    if inputs is not None:
        return tree.map_structure(lambda one: tf.TensorSpec(one.shape, one.dtype, name=one.name), inputs)
    shapes = layer._build_shapes
    if not shapes:
        return None
    shape = next(iter(shapes.values())) if isinstance(shapes, dict) else shapes
    if not isinstance(shape, tuple) or not all(one is None or isinstance(one, int) for one in shape):
        return None
    return tf.TensorSpec([None, *shape[1:]], layer.compute_dtype or "float32", name="inputs")


_PRIORITY_OF_FUNCTIONS = 50


@contextmanager
def outside_of_functions() -> Iterator[None]:
    """Inside it, a `tf.function` that is being traced does not see variables being made.

    It would take them for its own, and refuse them when it is traced again; ours are made outside of it, and last.
    """
    graph = tf.compat.v1.get_default_graph()
    makers = getattr(graph, "_variable_creator_stack", None)
    if not makers:
        yield
        return
    graph._variable_creator_stack = [one for one in makers if one[0] != _PRIORITY_OF_FUNCTIONS]
    try:
        yield
    finally:
        graph._variable_creator_stack = makers


def parts_of(value: Any) -> list[tuple[str, Any]]:
    """The `tf.Variable`s in one, or in a `tf.Module`, with names."""
    if isinstance(value, tf.Variable):
        return [("", value)]
    return [(one.name.partition(":")[0], one) for one in value.variables]


def saved_functions(folder: str, names: Sequence[str]) -> tuple[list[Callable], list[tuple[str, Any]]]:
    """The functions with these names in a SavedModel, and its variables with names.

    Raises:
        ValueError: If there is no SavedModel, or a function of that name not in it.
    """
    try:
        loaded = tf.saved_model.load(folder)
    except OSError as problem:
        raise ArgumentError("the folder of a SavedModel", f"{folder!r}: {problem}", "TFSMLayer") from None
    known = [one for one in dir(loaded) if callable(getattr(loaded, one, None)) and _is_function(getattr(loaded, one))]
    if callable(loaded):
        known.append("__call__")
    found: list[Callable] = []
    for name in names:
        if name in known:
            found.append(loaded if name == "__call__" else getattr(loaded, name))
        elif name in loaded.signatures:
            found.append(_positional(loaded.signatures[name]))
        else:
            raise UnknownNameError("endpoint", name, [*known, *loaded.signatures], f"SavedModel {folder!r}")
    handles: dict[int, Any] = {id(one): one for one in getattr(loaded, "variables", ())}
    for name, function in zip(names, found, strict=True):
        for each in _graphs(getattr(loaded, name, None) or loaded.signatures.get(name), function):
            handles.update({id(one): one for one in each.variables})
    return found, [(one.name.partition(":")[0], one) for one in handles.values()]


def _is_function(value: Any) -> bool:
    return hasattr(value, "concrete_functions") or hasattr(value, "structured_outputs")


def _graphs(*candidates: Any) -> list[Any]:
    """The traced functions behind what was loaded."""
    for one in candidates:
        if hasattr(one, "variables") and hasattr(one, "structured_outputs"):
            return [one]
        if hasattr(one, "concrete_functions"):
            return list(one.concrete_functions)
    return []


def _positional(signature: Any) -> Callable:
    """A signature, whose arguments have names, as a function of one tensor, or of a dict of several."""
    names = list(signature.structured_input_signature[1])

    def call(inputs: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, dict):
            return signature(**inputs, **kwargs)
        parts = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(names) - len(kwargs) != 1 or len(parts) != 1:
            raise ArgumentError(
                f"a dict with the inputs {names}", f"{len(parts)} without names", "call of TFSMLayer",
                "A signature of a SavedModel knows the names of its inputs only.",
            )
        (name,) = [one for one in names if one not in kwargs]
        return signature(**{name: parts[0]}, **kwargs)

    return call
