"""What all parts of the torch backend share: dtypes by name, numbers as tensors, kernels that a dtype lacks."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from hornbeam import dtypes
from hornbeam.backend.torch.place import here
from hornbeam.errors import UnsupportedError

_DTYPES: dict[Any, torch.dtype] = {
    name: getattr(torch, name) for name in dtypes.ALL if isinstance(getattr(torch, name, None), torch.dtype)
}
_NAMES = {native: name for name, native in _DTYPES.items()}


def dtype_of(dtype: Any) -> torch.dtype:
    """The dtype of torch for any way to write one."""
    if isinstance(dtype, torch.dtype):
        return dtype
    found = _DTYPES.get(dtype) if isinstance(dtype, str) else None
    if found is None:
        name = dtypes.standardize_dtype(dtype)
        found = _DTYPES.get(name)
        if found is None:
            raise UnsupportedError(f"a dtype out of {sorted(_DTYPES)}", repr(name), "the torch backend")
    return found


def name_of(dtype: torch.dtype) -> str:
    """The name of one of torch's dtypes."""
    return _NAMES.get(dtype) or dtypes.standardize_dtype(dtype)


def tensor(value: Any, like: torch.Tensor | None = None) -> torch.Tensor:
    """`value` as a tensor; a number in the dtype that it has beside the tensor `like`."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.as_tensor(value, device=here() if like is None else like.device)
    if hasattr(value, "__torch_function__"):  # a bundle
        return value
    if like is not None and not isinstance(like, torch.Tensor):  # a bundle of tensors
        return torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if like is None:
        dtype = dtype_of(dtypes.standardize_dtype(float)) if isinstance(value, float) else None
        return torch.as_tensor(value, dtype=dtype, device=here())
    return torch.as_tensor(value, dtype=torch.result_type(like, value), device=like.device)


# Which dtype holds all values of one that torch has no kernel for. Its kernels for unsigned integers are few, and so
# are those for half precision in linear algebra: https://github.com/pytorch/pytorch/issues/58734
_WIDER = {
    torch.uint16: torch.int32,
    torch.uint32: torch.int64,
    torch.uint64: torch.int64,
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float8_e4m3fn: torch.float32,
    torch.float8_e5m2: torch.float32,
    torch.bool: torch.uint8,
    torch.int8: torch.int32,
    torch.uint8: torch.int32,
    torch.int16: torch.int32,
    # products of integer matrices on CUDA: exact in float64 as long as they fit in 53 bits
    torch.int32: torch.float64,
    torch.int64: torch.float64,
}
_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


class _Following(threading.local):
    """Whether a function is being followed into a program."""

    depth = 0


following = _Following()
_MISFITS = (
    "must match", "is invalid for input of size", "cannot be multiplied", "expected shape", "dimension size",
    "mismatch", "doesn't match", "Sizes of tensors", "stack expects each tensor",
    "Attempting to broadcast", "expanded size",
)
_MISSING = ("not implemented for", "not support", "Unsupported", "Low precision dtypes", "expected scalar type")


def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, computed in a wider dtype for tensors of one that torch has no kernel for."""

    @functools.wraps(function)
    def apply(*args: Any, **kwargs: Any) -> Any:
        if (following.depth or torch.compiler.is_compiling()) and any(one.dtype in _UNSIGNED for one in _tensors(args)):
            return _wider(function, args, kwargs, None)  # what is missing would show only when the program runs
        try:
            return function(*args, **kwargs)
        except (NotImplementedError, RuntimeError) as problem:
            text = str(problem)
            if any(one in text for one in _MISSING):
                return _wider(function, args, kwargs, problem)
            if any(one in text for one in _MISFITS):
                raise ValueError(f"expected shapes that fit or broadcast: {text}") from problem  # as elsewhere
            raise

    return apply


def _wider(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any], problem: Exception | None) -> Any:
    first = next((one for one in _tensors(args) if one.dtype in (_WIDER if problem else _UNSIGNED)), None)
    if first is None:
        assert problem is not None
        raise problem
    narrow, wide = first.dtype, _WIDER[first.dtype]

    def widened(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(wide) if value.dtype == narrow else value
        return type(value)(widened(one) for one in value) if type(value) in (list, tuple) else value

    def narrowed(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(narrow) if value.dtype == wide else value
        return tuple(narrowed(one) for one in value) if isinstance(value, (list, tuple)) else value

    return narrowed(lifted(function)(*widened(args), **{name: widened(one) for name, one in kwargs.items()}))


def _tensors(values: Any) -> Any:
    for one in values:
        if isinstance(one, torch.Tensor):
            yield one
        elif type(one) in (list, tuple):
            yield from _tensors(one)
