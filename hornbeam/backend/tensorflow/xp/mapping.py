"""`vectorize`: functions of numbers, or of small tensors, spread over larger ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.xp.common import Tensor, rank


def vectorize(function: Callable, *, excluded: Any = frozenset(), signature: str | None = None) -> Callable:
    def spread(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in range(len(args)) if i not in excluded]
        own = [0] * len(places) if signature is None else _own_axes(signature)
        ready = [args[i] for i in places]
        shape = tf.TensorShape([])
        for one, count in zip(ready, own, strict=True):
            shape = tf.broadcast_static_shape(shape, one.shape[: rank(one) - count])
        flat = []
        for one, count in zip(ready, own, strict=True):
            inner = one.shape[rank(one) - count :]
            flat.append(tf.reshape(tf.broadcast_to(one, [*shape, *inner]), [shape.num_elements(), *inner]))

        def one_row(parts: list[Tensor]) -> Any:
            full = list(args)
            for i, part in zip(places, parts, strict=True):
                full[i] = part
            return function(*full, **kwargs)

        found = tf.vectorized_map(one_row, flat)
        return tf.nest.map_structure(lambda one: tf.reshape(one, [*shape, *one.shape[1:]]), found)

    return spread


def _own_axes(signature: str) -> list[int]:
    """How many axes the function handles itself, for each argument: "(n),(m,n)->()" gives [1, 2]."""
    inputs = signature.replace(" ", "").partition("->")[0].replace("),(", ")|(").split("|")
    return [len([name for name in part.strip("()").split(",") if name]) for part in inputs]
