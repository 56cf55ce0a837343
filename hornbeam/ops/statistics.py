"""Statistics beyond sums and means: medians and quantiles, averages, counts in bins, correlation, closeness."""



from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.dtypes import is_int, promote
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, UnsupportedError
from hornbeam.ops.define import (
    Axis,
    Tensor,
    TensorLike,
    as_float,
    as_floats,
    as_tensor,
    broadcast_shapes,
    convert,
    normalized_axis,
    op,
)
from hornbeam.ops.rules import (
    axes_of,
    cast_to,
    float_of,
    half_as_single,
    kind,
    numbers,
    reduced_shape,
    reduces,
    shape_of,
)
from hornbeam.symbolic import KerasTensor

xp = backend.xp

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@op("keras.src.ops.numpy.Average", tensors=["x", "weights"])
def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None) -> Tensor:
    """Weighted mean of `x` over `axis`.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        weights: Weights in the shape of `x`, or of the one axis; None for equal ones.

    Returns:
        The average, a float tensor; NaN or infinite where the weights add up to 0.

    Raises:
        ValueError: If the shape of the weights does not fit.

    >>> import hornbeam as keras
    >>> float(keras.ops.average([1.0, 4.0], weights=[2, 1]))
    2.0
    """
    if weights is None:
        x = as_float(x)
        return cast_to(xp.mean(*half_as_single(x), axis=axes_of(axis)), backend.dtype(x))
    x, weights = as_floats(x, as_tensor(weights))
    dtype = backend.dtype(x)
    x, weights = half_as_single(x, weights)
    shape, have = backend.shape(x), backend.shape(weights)
    if have != shape:
        one_axis = isinstance(axis, int) and have == (shape[normalized_axis(axis, len(shape), "average")],)
        if not one_axis:
            raise ArgumentError(
                f"weights of shape={shape}, or of the size of one given axis", f"shape={have}, axis={axis}", "average"
            )
        place = normalized_axis(axis, len(shape))  # type: ignore[arg-type]
        weights = xp.reshape(weights, [-1 if i == place else 1 for i in range(len(shape))])
        weights = xp.broadcast_to(weights, shape)
    total = xp.sum(weights, axis=axes_of(axis))
    return cast_to(xp.true_divide(xp.sum(x * weights, axis=axes_of(axis)), total), dtype)


# --- quantiles ---------------------------------------------------------------------------------------------------


@op("keras.src.ops.numpy.Median", spec=reduces(float_of))
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Median of `x` over `axis`: half of the elements are smaller; NaN if one is NaN.

    Args:
        x: Any tensor; integers and bools give the default float type.
        axis: One axis, several, or None for all; negative axes count from the end.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The median, a float tensor.

    >>> import hornbeam as keras
    >>> float(keras.ops.median([1, 9, 3]))
    3.0
    """
    x = as_float(x)
    if 0 in backend.shape(x):  # NaN, as the mean of nothing is
        return cast_to(as_tensor(xp.mean(x, axis=axes_of(axis), keepdims=keepdims)), backend.dtype(x))
    return cast_to(as_tensor(xp.median(*half_as_single(x), axis=axes_of(axis), keepdims=keepdims)), backend.dtype(x))


def quantile_rule(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> KerasTensor:
    check_method(method, "quantile")
    result = reduced_shape(x, axis, keepdims, float_of(x.dtype))
    return KerasTensor((*shape_of(q), *result.shape), result.dtype)


def check_method(method: str, where: str) -> None:
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS, where)


def _quantile(function: Callable, x: Any, q: Any, axis: Axis, method: str, keepdims: bool, parts: int = 1) -> Any:
    x = as_float(x)
    dtype = backend.dtype(x)
    wide = promote(dtype, "float32")
    q = backend.asarray(q, wide) / parts
    result = function(cast_to(x, wide), q, axis=axes_of(axis), method=method, keepdims=keepdims)
    return cast_to(as_tensor(result), dtype)


@op("keras.src.ops.numpy.Quantile", spec=quantile_rule)
def quantile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Quantiles of `x` over `axis`: a share `q` of the elements is smaller.

    Args:
        x: Any tensor; integers and bools give the default float type.
        q: One share or several, in [0, 1].
        axis: One axis, several, or None for all; negative axes count from the end.
        method: What to do between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The quantiles, a float tensor with the axes of `q` in front.

    Raises:
        ValueError: For an unknown method.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.quantile([1.0, 2.0, 3.0], [0.25, 1.0])).tolist()
    [1.5, 3.0]
    """
    check_method(method, "quantile")
    return _quantile(xp.quantile, x, q, axis, method, keepdims)


@op("keras.src.ops.numpy.Percentile", spec=quantile_rule)
def percentile(
    x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Percentiles of `x` over `axis`. As `quantile`, with `q` in [0, 100].

    >>> import hornbeam as keras
    >>> float(keras.ops.percentile([1.0, 2.0, 3.0], 25))
    1.5
    """
    check_method(method, "percentile")
    return _quantile(xp.quantile, x, q, axis, method, keepdims, 100)


def nan_quantile(x: Any, q: Any, axis: Axis, method: str, keepdims: bool, parts: int = 1) -> Any:
    """Quantiles of the elements that are not NaN; NaN where there is none."""
    return _of_numbers(
        lambda numbers: _quantile(xp.nanquantile, numbers, q, axis, method, True, parts), x, axis, keepdims, shape_of(q)
    )


def nan_median(x: Any, axis: Axis, keepdims: bool) -> Any:
    """Median of the elements that are not NaN; NaN where there is none."""
    dtype = backend.dtype(as_float(x))

    def compute(numbers: Any) -> Any:
        return cast_to(as_tensor(xp.nanmedian(*half_as_single(numbers), axis=axes_of(axis), keepdims=True)), dtype)

    return _of_numbers(compute, x, axis, keepdims, ())


def _of_numbers(compute: Callable, x: Any, axis: Axis, keepdims: bool, front: tuple) -> Any:
    """What `compute`, which keeps axes and adds those of `front`, gives; NaN where there are no numbers."""
    x = as_float(x)
    nothing = xp.all(xp.isnan(x), axis=axes_of(axis), keepdims=True)
    # NumPy warns of slices without numbers, so they get some, and the answer afterwards
    found = compute(xp.where(nothing, xp.zeros_like(x), x))
    found = xp.where(nothing, xp.full_like(found, float("nan")), found)
    if keepdims:
        return found
    extra = len(front)
    rank = len(backend.shape(x))
    axes = range(rank) if axis is None else [normalized_axis(one, rank) for one in np.ravel(axis).tolist()]
    return xp.squeeze(found, axis=tuple(one + extra for one in axes))


# --- counts ------------------------------------------------------------------------------------------------------


def _bincount_rule(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> KerasTensor:
    _check_counted(x.dtype, len(x.shape), sparse)
    return KerasTensor((None,), "int32" if weights is None else promote(kind(weights)))


def _check_counted(dtype: str, rank: int, sparse: bool) -> None:
    if not is_int(dtype):
        raise ArgumentTypeError("a tensor of integers", f"dtype={dtype}", "bincount")
    if rank != 1:
        raise ArgumentError("a tensor of one axis", f"{rank} axes", "bincount", "Use `vectorized_map` for more.")
    if sparse and "sparse" not in backend.features:
        raise UnsupportedError("a backend with sparse tensors", "sparse=True", "bincount")


@op("keras.src.ops.numpy.Bincount", tensors=["x", "weights"], spec=_bincount_rule)
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each of the numbers 0, 1, 2, ... occurs.

    The length of the result depends on the values, so it cannot be compiled.

    Args:
        x: A tensor of integers that are not negative, of one axis.
        weights: What each element counts, in the shape of `x`; None for 1.
        minlength: The least length of the result.
        sparse: Whether to return a sparse tensor, on backends that have them.

    Returns:
        The counts, int32, or of the dtype of `weights`.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.bincount([1, 2, 2, 5], minlength=4)).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    x = as_tensor(x)
    _check_counted(backend.dtype(x), len(backend.shape(x)), sparse)
    x = xp.clip(cast_to(x, "int32"), 0, None)
    if weights is None:
        return cast_to(xp.bincount(x, minlength=minlength), "int32")
    weights = as_tensor(weights)
    if backend.shape(weights) != backend.shape(x):
        raise ArgumentError(f"weights of shape={backend.shape(x)}", f"shape={backend.shape(weights)}", "bincount")
    return cast_to(xp.bincount(x, weights=weights, minlength=minlength), backend.dtype(weights))


def _histogram_rule(x: Any, bins: Any = 10, range: Any = None) -> tuple[KerasTensor, KerasTensor]:
    count = _check_bins(bins, range)
    _check_row(x.shape, "histogram")
    return KerasTensor((count,), float_of(x.dtype)), KerasTensor((count + 1,), float_of(x.dtype))


def _check_row(shape: Any, where: str) -> None:
    if len(shape) != 1:
        raise ArgumentError("a tensor of one axis", f"shape={tuple(shape)}", where)


def _check_bins(bins: Any, limits: Any) -> int:
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ArgumentError("a positive number of bins", f"bins={bins!r}", "histogram")
    if limits is not None and (len(limits) != 2 or limits[0] > limits[1]):
        raise ArgumentError("a range (low, high)", f"range={limits!r}", "histogram")
    return bins


@op("keras.src.ops.numpy.Histogram", spec=_histogram_rule)
def histogram(x: TensorLike, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """How many elements fall into bins of equal width.

    Args:
        x: A tensor of one axis.
        bins: How many bins.
        range: Where the first begins and the last ends; None for the least and largest element. Elements
            outside are not counted.

    Returns:
        The counts and the edges, one more, both of a float type. The last bin includes its upper edge.

    Raises:
        ValueError: For several axes, no bins, or a range upside down.

    >>> import hornbeam as keras
    >>> counts, edges = keras.ops.histogram([1, 2, 2, 5], bins=2)
    >>> keras.ops.convert_to_numpy(counts).tolist(), keras.ops.convert_to_numpy(edges).tolist()
    ([3.0, 1.0], [1.0, 3.0, 5.0])
    """
    _check_bins(bins, range)
    x = as_float(x)
    _check_row(backend.shape(x), "histogram")
    if 0 in backend.shape(x) and range is None:
        raise ArgumentError("elements, or a `range`", "no elements", "histogram")
    (values,) = half_as_single(x)
    edges: Any = bins
    if range is not None:  # on the host, in double precision: an edge at 0 is at 0, as in NumPy
        low, high = (range[0] - 0.5, range[1] + 0.5) if range[0] == range[1] else range
        edges = backend.asarray(np.linspace(low, high, bins + 1), backend.dtype(values))
    counts, edges = xp.histogram(values, bins=edges)
    return cast_to(counts, backend.dtype(x)), cast_to(edges, backend.dtype(x))


# --- correlation -------------------------------------------------------------------------------------------------


def _correlate_rule(x1: Any, x2: Any, mode: str = "valid") -> KerasTensor:
    _check_mode(mode)
    (first,), (second,) = shape_of(x1), shape_of(x2)
    dtype = float_of(promote(kind(x1), kind(x2)))
    if first is None or second is None:
        return KerasTensor((None,), dtype)
    longer, shorter = max(first, second), min(first, second)
    size = {"valid": longer - shorter + 1, "same": longer, "full": longer + shorter - 1}[mode]
    return KerasTensor((size,), dtype)


def _check_mode(mode: str) -> None:
    if mode not in ("valid", "same", "full"):
        raise UnknownNameError("mode", mode, ("valid", "same", "full"), "correlate")


@op("keras.src.ops.numpy.Correlate", spec=_correlate_rule)
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """Cross-correlation of two rows: sums of products, one row shifted along the other.

    Args:
        x1: A tensor of one axis.
        x2: Another one; dtypes are promoted and made float.
        mode: "valid" where the rows overlap whole, "same" as many places as the longer has, "full" all.

    Returns:
        A float tensor of one axis.

    Raises:
        ValueError: For an unknown mode, or more axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.correlate([1, 2, 3], [0, 1])).tolist()
    [2.0, 3.0]
    """
    _check_mode(mode)
    x1, x2 = as_floats(x1, x2)
    for one in (x1, x2):
        _check_row(backend.shape(one), "correlate")
    return cast_to(xp.correlate(*half_as_single(x1, x2), mode=mode), backend.dtype(x1))


@op("keras.src.ops.numpy.Corrcoef")
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients between the rows of a matrix.

    Args:
        x: A matrix, variables in rows and observations in columns; or one row.

    Returns:
        A square matrix of floats in [-1, 1]; NaN for rows that do not vary.

    >>> import hornbeam as keras
    >>> keras.ops.corrcoef([[1.0, 2.0], [2.0, 1.0]]).shape
    (2, 2)
    """
    x = as_float(x)
    return cast_to(as_tensor(xp.corrcoef(backend.cast(x, promote(backend.dtype(x), "float32")))), backend.dtype(x))


# --- closeness ---------------------------------------------------------------------------------------------------


def _isclose_rule(x1: Any, x2: Any, rtol: Any, atol: Any, equal_nan: bool = False) -> KerasTensor:
    return KerasTensor(broadcast_shapes(shape_of(x1), shape_of(x2)), "bool")


@op("keras.src.ops.numpy.Isclose", spec=_isclose_rule)
def _isclose(x1: TensorLike, x2: TensorLike, rtol: TensorLike, atol: TensorLike, equal_nan: bool = False) -> Tensor:
    return as_tensor(xp.isclose(*half_as_single(*numbers(x1, x2)), rtol=rtol, atol=atol, equal_nan=equal_nan))


def isclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether the elements of two tensors are nearly equal: ``|x1 - x2| <= atol + rtol * |x2|``.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted.
        rtol: The difference that is allowed, as a share of `x2`.
        atol: The difference that is allowed in any case.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        A bool tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.isclose([1.0, 2.0], [1.0, 2.1])).tolist()
    [True, False]
    """
    return _isclose(x1, x2, rtol, atol, equal_nan=equal_nan)


isclose.definition = _isclose.definition


def _allclose_rule(x1: Any, x2: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> KerasTensor:
    broadcast_shapes(shape_of(x1), shape_of(x2))
    return KerasTensor((), "bool")


@op("keras.src.ops.numpy.AllClose", spec=_allclose_rule)
def allclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether all elements of two tensors are nearly equal, in the sense of `isclose`.

    >>> import hornbeam as keras
    >>> bool(keras.ops.allclose([1.0, 2.0], [1.0, 2.1]))
    False
    """
    x1, x2 = half_as_single(*numbers(x1, x2))
    return as_tensor(xp.all(xp.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)))


# --- functions of numbers ----------------------------------------------------------------------------------------


def vectorize(pyfunc: Callable, *, excluded: Any = None, signature: str | None = None) -> Callable:
    """Makes a function of numbers one of tensors, whose shapes broadcast.

    Args:
        pyfunc: A function of numbers, or of the small tensors that `signature` says.
        excluded: Positions or names of arguments that are passed on as they are.
        signature: The axes that the function handles itself, such as ``"(n),(n)->()"``.

    Returns:
        The function on tensors.

    >>> import hornbeam as keras
    >>> larger = keras.ops.vectorize(lambda a, b: keras.ops.maximum(a, b))
    >>> keras.ops.convert_to_numpy(larger(keras.ops.array([1, 5]), 3)).tolist()
    [3, 5]
    """
    if not callable(pyfunc):
        raise ArgumentTypeError("a function", repr(pyfunc), "vectorize")
    spread = xp.vectorize(pyfunc, excluded=frozenset() if excluded is None else excluded, signature=signature)
    left = frozenset() if excluded is None else frozenset(excluded)

    def apply(*args: Any, **kwargs: Any) -> Any:
        ready = [one if i in left else as_tensor(convert(one)) for i, one in enumerate(args)]
        return spread(*ready, **kwargs)

    return apply


