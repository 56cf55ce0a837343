"""`HostLayer`: a layer that runs on the host, with NumPy, whatever the backend; and what passes through it.

Text has no place on most devices. A host layer takes strings and numbers of any kind, computes with NumPy, and gives
numbers as tensors of the backend, or as NumPy arrays inside `scope.host_values()`, where input pipelines call it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from hornbeam import scope, tree
from hornbeam.backend import active as backend
from hornbeam.backend.base import is_numeric
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.layers.layer import Layer
from hornbeam.symbolic import KerasTensor, any_symbolic
from hornbeam.variable import Variable


class HostLayer(Layer):
    """Base of the layers that run on the host. A subclass writes `compute` and `compute_output_spec`.

    A model made from a graph runs its first host layers in the input pipeline, ahead of the device.
    """

    runs_on_host = True

    def compute(self, inputs: Any) -> Any:
        """The outputs for host values (arrays, lists, strings), as NumPy arrays or lists of them, made for this call:
        nobody else holds or writes to their memory.
        """
        raise NotImplementedError

    def compute_on_device(self, inputs: Any) -> Any:
        """The outputs for tensors on a device, or `NotImplemented` where only the host can tell."""
        return NotImplemented

    def call(self, inputs: Any) -> Any:
        """The outputs for strings or numbers: an array of any kind, a list, or one value."""
        leaves = tree.flatten(inputs)
        if any(in_graph_of_tensorflow(one) for one in leaves):
            return call_in_tensorflow(self, inputs)
        if not scope.context.on_host and any(on_device(one) for one in leaves):
            outputs = self.compute_on_device(inputs)
            if outputs is not NotImplemented:
                return outputs
            if any(on_device(one) and backend.is_traced(one) for one in leaves):
                raise ArgumentTypeError(
                    "values on the host", "a tensor inside a compiled function", self._where(),
                    "This layer runs on the host. In a model made from a graph, put it before all layers that run on "
                    "the device; in a function of your own, call it before the compiled part.",
                )
        return as_outputs(self.compute(inputs))

    def _convert(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], bool]:
        # nothing is moved to a device: the values are wanted on the host
        return args, kwargs, any_symbolic((args, kwargs))


class TwoSidedLayer(Layer):
    """Base of layers that run on the device, and on the host where an input pipeline calls them.

    A subclass writes `call` for tensors and `compute` for NumPy arrays.
    """

    def compute(self, inputs: Any) -> Any:
        """The outputs for one NumPy array, as another."""
        raise NotImplementedError

    def _apply_layer(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:
            inputs = args[0]
            if scope.context.on_host and isinstance(inputs, np.ndarray):
                return self.compute(inputs)
            if not backend.is_array(inputs) and in_graph_of_tensorflow(inputs):
                return call_in_tensorflow(self, inputs)
        return super()._apply_layer(*args, **kwargs)


def call_in_tensorflow(layer: Any, inputs: Any) -> Any:
    """One operation of a TensorFlow graph, as in the `map` of a `tf.data.Dataset`, that calls back."""
    tensorflow = sys.modules["tensorflow"]
    leaves, description = tree.flatten_and_structure(inputs)
    specs = [
        KerasTensor(one.shape if one.shape.rank is not None else (None,), one.dtype.name) for one in leaves
    ]
    outputs, form = tree.flatten_and_structure(layer.compute_output_spec(tree.unflatten(description, specs)))

    def run(*values: np.ndarray) -> list[Any]:
        with scope.host_values():
            results = tree.flatten(layer.compute(tree.unflatten(description, list(values))))
        return [
            one if spec.dtype == "string" else np.asarray(one, spec.dtype)
            for one, spec in zip(results, outputs, strict=True)
        ]

    dtypes = [tensorflow.as_dtype(one.dtype) for one in outputs]
    found = tensorflow.numpy_function(run, leaves, dtypes, stateful=False)
    for one, spec in zip(found, outputs, strict=True):
        one.set_shape(spec.shape)
    return tree.unflatten(form, found)


def as_outputs(values: Any) -> Any:
    """What a host layer computed as tensors of the backend; as it is where the host goes on with it."""
    return values if scope.context.on_host else tree.map_structure(_as_tensor, values)


def _as_tensor(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if is_numeric(value):
        return backend.put(value)  # what was computed belongs to nobody else, so its memory may be taken over
    return backend.asarray(value) if "strings" in backend.features else value


def on_device(value: Any) -> bool:
    """Whether a value is a tensor of numbers of a backend that is more than NumPy."""
    return backend.is_array(value) and not isinstance(value, (np.ndarray, np.generic)) and is_number(value)


def is_number(value: Any) -> bool:
    """Whether a tensor holds numbers."""
    return "string" not in str(value.dtype)


def in_graph_of_tensorflow(value: Any) -> bool:
    """Whether a value is a tensor of a TensorFlow graph, whose value comes later."""
    tensorflow = sys.modules.get("tensorflow")
    return (
        tensorflow is not None
        and hasattr(tensorflow, "is_symbolic_tensor")
        and tensorflow.is_tensor(value)
        and tensorflow.is_symbolic_tensor(value)
    )


def as_array(value: Any, where: str) -> np.ndarray:
    """Strings or numbers of any kind as a NumPy array.

    Raises:
        ValueError: For nested lists of unequal lengths.
        TypeError: For what is neither.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Variable):
        value = value.value
    if isinstance(value, (str, bytes)):
        return np.array(value, dtype=object)
    if isinstance(value, (list, tuple)):
        return _array_of_list(value, where)
    if backend.is_array(value) and not hasattr(value, "numpy"):
        return backend.to_numpy(value)
    if hasattr(value, "detach"):
        return np.asarray(value.detach().cpu())
    if hasattr(value, "to_tensor") and hasattr(value, "row_splits"):
        raise ArgumentTypeError("a dense tensor", describe(value), where, "Convert it: ragged.to_tensor().")
    if hasattr(value, "to_numpy"):
        return np.asarray(value.to_numpy())
    if hasattr(value, "numpy"):
        return np.asarray(value.numpy(), dtype=object if not is_number(value) else None)
    if hasattr(value, "__array__") or isinstance(value, (bool, int, float)):
        return np.asarray(value)
    raise ArgumentTypeError("strings or numbers: an array, a list or one value", describe(value), where)


def _array_of_list(value: list | tuple, where: str) -> np.ndarray:
    first: Any = value
    depth = 0
    while isinstance(first, (list, tuple)) and len(first):
        first, depth = first[0], depth + 1
    if not isinstance(first, (str, bytes)):
        # lists of numbers, of tensors, or of nothing
        parts = [one if isinstance(one, (list, tuple, int, float, np.generic)) else as_array(one, where)
                 for one in value]  # fmt: skip
        try:
            return np.asarray(parts) if parts else np.empty(0, dtype=object)
        except ValueError:
            raise _ragged(where) from None
    if depth == 1:
        array = np.empty(len(value), dtype=object)
        array[:] = value
        return array
    try:
        array = np.array(value, dtype=object)
    except ValueError:
        raise _ragged(where) from None
    if array.ndim < depth:
        raise _ragged(where)
    return array


def _ragged(where: str) -> ArgumentError:
    return ArgumentError(
        "lists of one length at each level", "a ragged list", where,
        "Pad the rows to one length, or call the layer on each of them.",
    )  # fmt: skip


def as_strings(array: np.ndarray, encoding: str, where: str) -> list[str]:
    """The elements of an array of texts, flat, as `str`; bytes that are no text in `encoding` are kept as escapes.

    Raises:
        TypeError: If some element is no text, such as None or a number.
    """
    if array.dtype.kind == "U" or array.dtype.kind == "T":
        return array.ravel().tolist()
    if array.dtype.kind == "S":
        return [one.decode(encoding, "surrogateescape") for one in array.ravel().tolist()]
    if array.dtype.kind != "O" and array.size:
        raise ArgumentTypeError(
            "texts", f"numbers of dtype {array.dtype}", where, "Turn numbers into texts first: array.astype(str)."
        )
    values = array.ravel().tolist()
    kinds = set(map(type, values))
    if kinds <= {str}:
        return values
    if not kinds <= _TEXTS:
        place = next(index for index, one in enumerate(values) if type(one) not in _TEXTS)
        raise ArgumentTypeError(
            "texts only", f"{describe(values[place])} at position {place}", where,
            'Fill gaps first, for example with an empty text "".',
        )
    return [one.decode(encoding, "surrogateescape") if isinstance(one, bytes) else str(one) for one in values]


_TEXTS = {str, bytes, np.str_, np.bytes_}


def as_bytes(text: str, encoding: str) -> bytes:
    """The bytes of a text that `as_strings` gave."""
    return text.encode(encoding, "surrogateescape")


def as_numbers(array: np.ndarray, dtype: str, where: str) -> np.ndarray:
    """Numbers in `dtype`; texts that spell numbers are read.

    Raises:
        TypeError: If they are no numbers.
    """
    try:
        return array.astype(dtype, copy=False)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            "numbers", describe(array), where, "Texts go through StringLookup, TextVectorization or Hashing."
        ) from None


def as_whole_numbers(array: np.ndarray, where: str) -> np.ndarray:
    """Numbers as int64; floats lose what follows the point.

    Raises:
        TypeError: If they are no numbers.
        ValueError: If some are NaN or infinite.
    """
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        if not np.isfinite(array.astype(np.float64)).all():
            raise ArgumentError("finite numbers", "NaN or infinity", where, "Fill or drop missing values first.")
        return array.astype(np.int64)
    if array.dtype.kind in "iub":
        return array.astype(np.int64, copy=False)
    if not array.size:
        return np.zeros(array.shape, np.int64)
    if array.dtype.kind == "O" and all(isinstance(one, (int, np.integer)) for one in array.flat):
        return array.astype(np.int64)
    raise ArgumentTypeError(
        "whole numbers", describe(array), where, "Texts go through StringLookup, TextVectorization or Hashing."
    )

