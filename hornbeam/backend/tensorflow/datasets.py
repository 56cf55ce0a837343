"""A hornbeam dataset as a `tf.data.Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf


def as_dataset(data: Any, count: int | None = None) -> Any:
    """A `hornbeam.data.Dataset` as a `tf.data.Dataset` with the same elements; each pass over it is one over `data`.

    Args:
        data: The dataset. Its first element is read to see shapes and dtypes.
        count: How many elements there are, if that is certain.
    """
    specs = data.element_spec
    signature = _mapped(_tensor_spec, specs)

    def elements() -> Iterator[Any]:
        for element in data:
            yield _paired(_tensor, specs, element)

    made = tf.data.Dataset.from_generator(elements, output_signature=signature)
    if count is not None:
        made = made.apply(tf.data.experimental.assert_cardinality(count))
    return made.prefetch(tf.data.AUTOTUNE)


def _mapped(function: Callable[[Any], Any], specs: Any) -> Any:
    """The nesting of specs with `function` of each; lists are tuples, as tf.data has it."""
    if hasattr(specs, "dtype"):
        return function(specs)
    if isinstance(specs, dict):
        return {key: _mapped(function, part) for key, part in specs.items()}
    return tuple(_mapped(function, part) for part in specs)


def _paired(function: Callable[[Any, Any], Any], specs: Any, element: Any) -> Any:
    if hasattr(specs, "dtype"):
        return function(specs, element)
    if isinstance(specs, dict):
        return {key: _paired(function, part, element[key]) for key, part in specs.items()}
    return tuple(_paired(function, part, value) for part, value in zip(specs, element, strict=True))


def _tensor_spec(spec: Any) -> Any:
    dtype = tf.string if spec.dtype == "string" else tf.as_dtype(spec.dtype)
    if getattr(spec, "ragged", False):
        return tf.RaggedTensorSpec(spec.shape, dtype, ragged_rank=1)
    return tf.TensorSpec(spec.shape, dtype)


def _tensor(spec: Any, value: Any) -> Any:
    if not getattr(spec, "ragged", False):
        # Text as bytes, as tf.data holds it.
        return np.char.encode(np.asarray(value, str), "utf-8").astype(object) if spec.dtype == "string" else value
    rows = list(value)
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows]
    return tf.RaggedTensor.from_row_lengths(np.concatenate(rows), [len(row) for row in rows])
