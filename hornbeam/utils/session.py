"""Names of `keras.backend` and `keras.utils` that ask about or reset the state of the process."""

from __future__ import annotations

import gc
from typing import Any

from hornbeam import dtypes, scope
from hornbeam.errors import ArgumentTypeError, describe
from hornbeam.symbolic import KerasTensor


def clear_session(free_memory: bool = True) -> None:
    """Starts all automatic names anew, and frees what nobody holds any more.

    Args:
        free_memory: Whether to collect garbage now.
    """
    scope.reset_names()
    if free_memory:
        gc.collect()


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


def is_float_dtype(dtype: Any) -> bool:
    """Whether `dtype` is a real floating type."""
    return dtypes.is_float(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether `dtype` is an integer type."""
    return dtypes.is_int(dtype)


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The inputs of the graph from which a symbolic tensor is made."""
    if not isinstance(tensor, KerasTensor):
        raise ArgumentTypeError("a symbolic tensor", describe(tensor), "get_source_inputs")
    found: dict[int, KerasTensor] = {}
    pending = [tensor]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        history = one._keras_history
        node = None if history is None else history.operation._inbound_nodes[history.node_index]
        if node is None or node.is_input:
            found[id(one)] = one
        else:
            pending.extend(reversed(node.input_tensors))
    return list(found.values())
