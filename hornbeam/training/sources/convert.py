"""Turns what users call data (arrays of any framework, frames, lists, dicts) into NumPy arrays in the same nesting.

Foreign objects are recognised through `sys.modules`: a library that nobody imported cannot have made them.
Knows nothing of batches, epochs or models.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

import ml_dtypes
import numpy as np

from hornbeam import _config
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.training.sources.lazy import LazyRows, SparseRows

_NARROW_FLOATS = ("bfloat16", "float8_e4m3fn", "float8_e5m2")


def is_a(value: Any, module: str, *names: str) -> bool:
    """Whether `value` is an instance of one of these classes of a module, which is looked up, never imported."""
    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    classes = tuple(one for name in names if isinstance(one := getattr(loaded, name, None), type))
    return isinstance(value, classes)


def is_array_like(value: Any) -> bool:
    """Whether `value` is one array (of any framework), frame or series, or a nesting that may hold some."""
    if isinstance(value, (np.ndarray, list, tuple, range, Mapping, LazyRows)) or hasattr(value, "__array__"):
        return True
    return is_a(value, "torch", "Tensor") or is_a(value, "h5py", "Dataset") or is_sparse(value)


def is_sparse(value: Any) -> bool:
    """Whether `value` is a matrix of `scipy.sparse`."""
    scipy_sparse = sys.modules.get("scipy.sparse")
    return scipy_sparse is not None and scipy_sparse.issparse(value)


def standardize_whole(data: Any, name: str) -> Any:
    """Converts whole data: each part has all the samples along its first axis.

    Args:
        data: An array of any framework, frame, list, dict, or a nesting of these; None stays.
        name: What to call it in errors, such as "x".

    Returns:
        The same nesting of NumPy arrays and, for data on disk, `LazyRows`. All floats have the default float type.

    Raises:
        ValueError: For scalars, ragged lists and dtypes that no model takes.
        TypeError: For types that hold no data.
    """
    return _map(data, name, _whole_leaf)


def standardize_batch(batch: Any, name: str = "batch", copy: bool = False) -> Any:
    """Converts what a source yields: as `standardize_whole`, but lighter, since it runs for every batch.

    Only float64 becomes the default float type, JAX arrays stay as they are, and scalars become arrays of rank 0.

    Args:
        batch: Any nesting of arrays, frames and numbers.
        name: What to call it in errors.
        copy: Whether arrays must own their memory, for sources that may fill the same buffer again.
    """
    return _map(batch, name, lambda leaf, path: _batch_leaf(leaf, path, copy))


def _map(data: Any, path: str, leaf: Callable[[Any, str], Any]) -> Any:
    if data is None:
        return None
    if type(data) is np.ndarray:
        return leaf(data, path)
    if isinstance(data, Mapping):
        return {key: _map(part, f"{path}[{key!r}]", leaf) for key, part in data.items()}
    if isinstance(data, range):
        return np.arange(data.start, data.stop, data.step)
    if isinstance(data, (list, tuple)):
        if _holds_numbers(data):
            return leaf(_from_numbers(data, path), path)
        parts = [_map(part, f"{path}[{index}]", leaf) for index, part in enumerate(data)]
        if hasattr(data, "_fields"):  # a named tuple takes its parts one by one
            return type(data)(*parts)
        return tuple(parts) if isinstance(data, tuple) else parts
    return leaf(data, path)


def _holds_numbers(data: Any) -> bool:
    # The first innermost item tells: a list of numbers is one array, a list of arrays is several inputs.
    while isinstance(data, (list, tuple)):
        if not data:
            return False
        data = data[0]
    return isinstance(data, (bool, int, float, complex, str, bytes, np.generic))


def _from_numbers(data: Any, path: str) -> np.ndarray:
    fix = "Pad the rows to one length, for example with keras.utils.pad_sequences."
    try:
        array = np.asarray(data)
    except ValueError:
        raise ArgumentError("a list of rows that all have the same length", "a ragged list", path, fix) from None
    if array.dtype.kind == "O":
        raise ArgumentError("a list of numbers", f"a list such as {str(data)[:80]}", path)
    if array.dtype.kind in "US" and not all(
        isinstance(one, (str, bytes)) for one in np.asarray(data, dtype=object).ravel()
    ):
        raise ArgumentError("a list of only numbers or only strings", f"both: {str(data)[:80]}", path)
    return array


def _whole_leaf(value: Any, path: str) -> np.ndarray | LazyRows:
    if type(value) is np.ndarray and value.ndim:
        return _cast(value, path, whole=True)
    if isinstance(value, LazyRows):
        return value
    if is_a(value, "h5py", "Dataset") or isinstance(value, np.memmap):
        if value.ndim == 0:
            raise _scalar(value, path)
        return LazyRows(value, target_dtype(value.dtype, path, whole=True))
    if is_sparse(value):
        rows = value.tocsr()
        return SparseRows(rows, target_dtype(rows.dtype, path, whole=True))
    array = to_numpy(value, path)
    if array.ndim == 0:
        raise _scalar(value, path)
    return _cast(array, path, whole=True)


def _batch_leaf(value: Any, path: str, copy: bool) -> Any:
    if is_a(value, "jax", "Array"):
        return value
    array = _cast(to_numpy(value, path), path, whole=False)
    # Memory that a cast just made, or that another framework lent, is nobody's buffer to fill again ...
    if copy and (array is value or array.base is not None):
        return array.copy()
    return array


def _scalar(value: Any, path: str) -> ArgumentError:
    return ArgumentError(
        "an array with one row for each sample",
        describe(value),
        path,
        "A single sample has a first axis of one: np.expand_dims(sample, 0).",
    )


def to_numpy(value: Any, path: str) -> np.ndarray:
    """One array of any framework, frame or series as a NumPy array of its own dtype.

    A frame gives shape (rows, columns) and a series (rows, 1), as Keras has it.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError("an array without a mask", "a masked array", path, "Fill it first: array.filled(value).")
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray) if type(value) is not np.ndarray else value
    if isinstance(value, (bool, int, float, complex, np.generic)):
        return np.asarray(value)
    if is_a(value, "torch", "Tensor"):
        return _from_torch(value, path)
    if is_a(value, "pandas", "DataFrame", "Series"):
        return _from_pandas(value, path)
    if is_a(value, "h5py", "Dataset"):
        return np.asarray(value[()])
    if is_sparse(value):
        return np.asarray(value.toarray())
    if is_a(value, "tensorflow", "RaggedTensor", "SparseTensor"):
        raise ArgumentTypeError(
            "a dense tensor", f"a {type(value).__name__}", path, "Convert it: to_tensor(), or tf.sparse.to_dense."
        )
    if hasattr(value, "__array__"):
        return np.asarray(value)
    raise ArgumentTypeError(
        "an array, a list of numbers, a pandas DataFrame or Series, or a nesting of these", describe(value), path
    )


def _from_torch(tensor: Any, path: str) -> np.ndarray:
    if tensor.layout != sys.modules["torch"].strided:
        raise ArgumentTypeError("a dense tensor", f"layout {tensor.layout}", path, "Convert it: tensor.to_dense().")
    tensor = tensor.detach().cpu()
    if str(tensor.dtype).removeprefix("torch.") in _NARROW_FLOATS:  # NumPy takes none of these from torch
        tensor = tensor.float()
    return tensor.numpy()


def _from_pandas(frame: Any, path: str) -> np.ndarray:
    dtypes = list(frame.dtypes) if hasattr(frame, "columns") else [frame.dtype]
    kinds = {getattr(dtype, "kind", "O") for dtype in dtypes}
    if any(str(dtype) == "category" for dtype in dtypes):
        raise ArgumentError("numeric columns", "a categorical one", path, "Use its numbers: column.cat.codes.")
    if kinds <= set("biufc"):
        array = frame.to_numpy()
        if array.dtype.kind == "O":  # pandas' own nullable dtypes, or booleans beside numbers
            whole = kinds <= set("biu") and not bool(frame.isna().to_numpy().any())
            array = frame.to_numpy(dtype="int64") if whole else frame.to_numpy(dtype="float64", na_value=np.nan)
    elif kinds & set("biufc"):
        names = [str(column) for column, dtype in zip(frame.columns, dtypes, strict=True) if dtype.kind not in "biufc"]
        raise ArgumentError(
            "a frame of numeric columns",
            f"others: {', '.join(names[:8])}",
            path,
            "Give the columns one by one, as dict(frame), or leave these out.",
        )
    else:
        array = frame.to_numpy()
    return array[:, None] if array.ndim == 1 else array


def target_dtype(dtype: np.dtype, path: str, whole: bool) -> np.dtype:
    """The dtype in which data of `dtype` goes on; raises a ValueError for dtypes that no model takes."""
    target = _target_dtype(dtype, whole, _config.floatx())
    if target is None:
        fix = "Turn times into numbers first." if dtype.kind in "mM" else ""
        raise ArgumentError("numbers, booleans or strings", f"dtype={dtype}", path, fix)
    return target


@functools.lru_cache(maxsize=256)  # asked for each batch, and the name of a dtype takes NumPy a microsecond
def _target_dtype(dtype: np.dtype, whole: bool, floatx: str) -> np.dtype | None:
    if dtype.kind == "f" or dtype.name in _NARROW_FLOATS:
        if not whole and dtype.itemsize <= 4:
            return dtype.newbyteorder("=")
        return np.dtype(ml_dtypes.bfloat16 if floatx == "bfloat16" else floatx)
    if dtype.kind in "biuc":
        return dtype.newbyteorder("=")
    return dtype if dtype.kind in "OUST" or dtype.name in ("int4", "uint4") else None


def _cast(array: np.ndarray, path: str, whole: bool) -> np.ndarray:
    target = target_dtype(array.dtype, path, whole)
    if target.kind == "O" and not all(isinstance(one, (str, bytes)) for one in array.flat):
        other = next(one for one in array.flat if not isinstance(one, (str, bytes)))
        raise ArgumentError(
            "an array of numbers or strings",
            f"dtype=object that holds {describe(other)}",
            path,
            "Convert it, for example with array.astype('float32') or np.stack(list(array)).",
        )
    return array if array.dtype == target else array.astype(target)
