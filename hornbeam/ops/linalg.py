"""Linear algebra: decompositions, solutions, norms; stacks of matrices are treated one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.dtypes import promote
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, UnsupportedError
from hornbeam.ops import names
from hornbeam.ops.define import (
    Tensor,
    TensorLike,
    as_float,
    as_floats,
    as_tensor,
    convert,
    float_dtype,
    like_float,
    normalized_axis,
    op,
    reduced,
)
from hornbeam.ops.front import prepared
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_HALF = ("float16", "bfloat16")


# --- arguments ---------------------------------------------------------------------------------------------------


def _check_matrix(shape: Any, where: str, name: str = "x") -> None:
    if len(shape) < 2:
        raise ArgumentError(f"`{name}` of rank 2 or more, a matrix or a stack of them", f"shape={tuple(shape)}", where)


def _check_square(shape: Any, where: str, name: str = "x") -> None:
    _check_matrix(shape, where, name)
    if None not in shape[-2:] and shape[-1] != shape[-2]:
        raise ArgumentError(f"`{name}` of square matrices", f"shape={tuple(shape)}", where)


def _in_single(function: Callable[..., Any], *tensors: Any) -> Any:
    """`function` on tensors of at least single precision, its results in the dtype that came."""
    floats = [as_float(*tensors)] if len(tensors) == 1 else as_floats(*tensors)
    dtype = backend.dtype(floats[0])
    if dtype not in _HALF:
        return function(*floats)
    result = function(*(backend.cast(one, "float32") for one in floats))
    if isinstance(result, tuple):
        return tuple(backend.cast(one, dtype) if "float" in backend.dtype(one) else one for one in result)
    return backend.cast(result, dtype)


def _square_rule(name: str) -> Callable[..., KerasTensor]:
    def rule(x: Any, **_: Any) -> KerasTensor:
        _check_square(x.shape, name)
        return like_float(x)

    return rule


def _upward(x: Any) -> Any:
    """The transpose of each matrix."""
    return xp.swapaxes(x, -1, -2)


__all__ = [*names.homes(names.LINALG)]  # pyright: ignore[reportUnsupportedDunderAll]


# --- decompositions ----------------------------------------------------------------------------------------------


@op("keras.src.ops.linalg.Cholesky", spec=_square_rule("cholesky"))
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The triangular factor L of positive definite matrices, `L Lᵀ = x`.

    Args:
        x: `[..., n, n]`, symmetric and positive definite.
        upper: Whether to give the upper factor U instead, `Uᵀ U = x`.

    Returns:
        `[..., n, n]`. Where `x` is not positive definite: NaN, or an error of the backend.

    Raises:
        ValueError: If `x` holds no square matrices.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.linalg.cholesky([[4.0, 0.0], [0.0, 9.0]])).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    x = as_float(x)
    _check_square(x.shape, "cholesky")
    factor = _in_single(xp.linalg.cholesky, x)
    return _upward(factor) if upper else factor


@op("keras.src.ops.linalg.CholeskyInverse", spec=_square_rule("cholesky_inverse"))
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of the positive definite matrices whose factor is given.

    Args:
        x: `[..., n, n]`, what `cholesky` gave.
        upper: Whether `x` is the upper factor.

    Returns:
        `[..., n, n]`, the inverse of `L Lᵀ`, or of `Uᵀ U`.

    Raises:
        ValueError: If `x` holds no square matrices.
    """
    x = as_float(x)
    _check_square(x.shape, "cholesky_inverse")

    def compute(x: Any) -> Any:
        factor = _upward(x) if upper else x
        inverse = _solve_triangular(factor, _identity_like(factor), True)
        return xp.matmul(_upward(inverse), inverse)

    return _in_single(compute, x)


def _identity_like(x: Any) -> Any:
    return xp.broadcast_to(xp.eye(x.shape[-1], dtype=x.dtype), x.shape)


def _eigen_rule(x: Any) -> tuple[KerasTensor, KerasTensor]:
    _check_square(x.shape, "eigh")
    dtype = float_dtype(x)
    return KerasTensor(x.shape[:-1], dtype), KerasTensor(x.shape, dtype)


@op("keras.src.ops.linalg.Eigh", spec=_eigen_rule)
def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of symmetric matrices.

    Args:
        x: `[..., n, n]`; only the lower triangle is looked at.

    Returns:
        Eigenvalues `[..., n]` in rising order, and eigenvectors `[..., n, n]`, one per column.

    Raises:
        ValueError: If `x` holds no square matrices.

    >>> import hornbeam as keras
    >>> values, vectors = keras.ops.linalg.eigh([[2.0, 0.0], [0.0, 1.0]])
    >>> keras.ops.convert_to_numpy(values).tolist()
    [1.0, 2.0]
    """
    x = as_float(x)
    _check_square(x.shape, "eigh")
    return _in_single(lambda one: tuple(xp.linalg.eigh(one)), x)


def _complex_eigen_rule(x: Any) -> tuple[KerasTensor, KerasTensor]:
    _check_square(x.shape, "eig")
    dtype = "complex128" if x.dtype in ("float64", "complex128") else "complex64"
    return KerasTensor(x.shape[:-1], dtype), KerasTensor(x.shape, dtype)


@op("keras.src.ops.linalg.Eig", spec=_complex_eigen_rule)
def eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of square matrices; complex, in no particular order.

    Args:
        x: `[..., n, n]`.

    Returns:
        Eigenvalues `[..., n]` and eigenvectors `[..., n, n]`, one per column.

    Raises:
        ValueError: If `x` holds no square matrices.
    """
    x = as_float(x)
    _check_square(x.shape, "eig")
    dtype = backend.dtype(x)
    values, vectors = xp.linalg.eig(backend.cast(x, "float32") if dtype in _HALF else x)
    # NumPy gives real numbers if all happen to be real
    wanted = "complex128" if dtype in ("float64", "complex128") else "complex64"
    return tuple(one if backend.dtype(one) == wanted else backend.cast(one, wanted) for one in (values, vectors))


def _lu_rule(x: Any) -> tuple[KerasTensor, KerasTensor]:
    _check_matrix(x.shape, "lu_factor")
    rows, columns = x.shape[-2:]
    count = None if None in (rows, columns) else min(rows, columns)
    return KerasTensor(x.shape, float_dtype(x)), KerasTensor((*x.shape[:-2], count), "int32")


@op("keras.src.ops.linalg.LuFactor", spec=_lu_rule)
def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Triangular factors of matrices, with rows exchanged for stability.

    Args:
        x: `[..., m, n]`.

    Returns:
        Both factors in one tensor `[..., m, n]` (U in the upper triangle, L below it, its diagonal being 1), and
        int32 `[..., min(m, n)]`: the i-th row was exchanged with the row of that number.

    Raises:
        ValueError: If `x` has fewer than two axes.
    """
    x = as_float(x)
    _check_matrix(x.shape, "lu_factor")
    return _in_single(_lu, x)


def _lu(x: Any) -> tuple[Any, Any]:
    rows, columns = x.shape[-2:]
    pivots = []
    numbers = xp.arange(rows)
    for step in range(min(rows, columns)):
        size = xp.where(numbers >= step, xp.abs(x[..., step]), -1)
        pivot = xp.argmax(size, axis=-1)
        pivots.append(backend.cast(pivot, "int32"))
        # exchange two rows: every row says where it comes from
        source = xp.where(numbers == step, pivot[..., None], xp.where(numbers == pivot[..., None], step, numbers))
        x = xp.take_along_axis(x, source[..., None], axis=-2)
        top = x[..., step : step + 1, :]
        head = top[..., step : step + 1]
        factor = xp.where((numbers > step)[:, None], x[..., step : step + 1] / xp.where(head == 0, 1, head), 0)
        right = xp.where(xp.arange(columns) > step, top, 0)
        x = x - factor * right
        column = xp.where((numbers > step)[:, None], factor, x[..., step : step + 1])
        x = xp.concatenate([x[..., :step], column, x[..., step + 1 :]], axis=-1)
    if not pivots:
        return x, xp.zeros((*x.shape[:-2], 0), "int32")
    return x, xp.stack(pivots, axis=-1)


def _qr_rule(x: Any, mode: str = "reduced") -> tuple[KerasTensor, KerasTensor]:
    _check_matrix(x.shape, "qr")
    _check_mode(mode)
    rows, columns = x.shape[-2:]
    least = None if None in (rows, columns) else min(rows, columns)
    inner = rows if mode == "complete" else least
    dtype = float_dtype(x)
    return KerasTensor((*x.shape[:-1], inner), dtype), KerasTensor((*x.shape[:-2], inner, columns), dtype)


def _check_mode(mode: Any) -> None:
    if mode not in ("reduced", "complete"):
        raise UnknownNameError("mode", mode, ("reduced", "complete"), "qr")


@op("keras.src.ops.linalg.Qr", spec=_qr_rule)
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """An orthogonal and an upper triangular factor of matrices, `Q R = x`.

    Args:
        x: `[..., m, n]`.
        mode: "reduced" (Q has `min(m, n)` columns) or "complete" (Q is square).

    Returns:
        Q and R.

    Raises:
        ValueError: If `x` has fewer than two axes, or `mode` is unknown.
    """
    x = as_float(x)
    _check_matrix(x.shape, "qr")
    _check_mode(mode)
    return _in_single(lambda one: tuple(xp.linalg.qr(one, mode=mode)), x)


def _svd_rule(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    _check_matrix(x.shape, "svd")
    rows, columns = x.shape[-2:]
    least = None if None in (rows, columns) else min(rows, columns)
    lead, dtype = x.shape[:-2], float_dtype(x)
    values = KerasTensor((*lead, least), dtype)
    if not compute_uv:
        return values
    left = (rows, rows) if full_matrices else (rows, least)
    right = (columns, columns) if full_matrices else (least, columns)
    return KerasTensor((*lead, *left), dtype), values, KerasTensor((*lead, *right), dtype)


@op("keras.src.ops.linalg.SVD", spec=_svd_rule)
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular values of matrices, and the orthogonal factors beside them, `U diag(s) Vh = x`.

    Args:
        x: `[..., m, n]`.
        full_matrices: Whether U and Vh are square.
        compute_uv: Whether to give U and Vh at all.

    Returns:
        U, the singular values in falling order, and Vh; or the singular values alone.

    Raises:
        ValueError: If `x` has fewer than two axes.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.linalg.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False)).tolist()
    [4.0, 3.0]
    """
    x = as_float(x)
    _check_matrix(x.shape, "svd")
    if not compute_uv:
        return _in_single(lambda one: xp.linalg.svd(one, full_matrices=full_matrices, compute_uv=False), x)
    return _in_single(lambda one: tuple(xp.linalg.svd(one, full_matrices=full_matrices)), x)


# --- numbers of a matrix -----------------------------------------------------------------------------------------


def _number_rule(name: str) -> Callable[[Any], KerasTensor]:
    def rule(x: Any) -> KerasTensor:
        _check_square(x.shape, name)
        return KerasTensor(x.shape[:-2], float_dtype(x))

    return rule


@op("keras.src.ops.linalg.Det", spec=_number_rule("det"))
def det(x: TensorLike) -> Tensor:
    """The determinant of square matrices.

    Args:
        x: `[..., n, n]`.

    Returns:
        `[...]`.

    Raises:
        ValueError: If `x` holds no square matrices.

    >>> import hornbeam as keras
    >>> float(keras.ops.linalg.det([[2.0, 0.0], [0.0, 3.0]]))
    6.0
    """
    x = as_float(x)
    _check_square(x.shape, "det")
    return _in_single(xp.linalg.det, x)


@op("keras.src.ops.math.Logdet", spec=_number_rule("logdet"))
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the absolute value of the determinant of square matrices.

    Args:
        x: `[..., n, n]`.

    Returns:
        `[...]`; -inf where a matrix is singular.

    Raises:
        ValueError: If `x` holds no square matrices.
    """
    x = as_float(x)
    _check_square(x.shape, "logdet")
    return _in_single(lambda one: xp.linalg.slogdet(one)[1], x)


def _rank_rule(x: Any, **_: Any) -> KerasTensor:
    _check_matrix(x.shape, "matrix_rank")
    return KerasTensor(x.shape[:-2], "int32")


@op("keras.src.ops.linalg.MatrixRank", spec=_rank_rule)
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """How many singular values of each matrix are not practically 0.

    Args:
        x: `[..., m, n]`.
        tol: What counts as 0; None means the largest singular value times `max(m, n)` times the precision of the dtype.

    Returns:
        int32 `[...]`.

    Raises:
        ValueError: If `x` has fewer than two axes.
    """
    x = as_float(x)
    _check_matrix(x.shape, "matrix_rank")
    if backend.dtype(x) in _HALF:
        x = backend.cast(x, "float32")
    values = xp.linalg.svd(x, full_matrices=False, compute_uv=False)
    if 0 in x.shape[-2:]:
        return xp.zeros(x.shape[:-2], "int32")
    if tol is None:
        limit = xp.max(values, axis=-1, keepdims=True) * max(x.shape[-2:]) * float(xp.finfo(values.dtype).eps)
    else:
        limit = as_tensor(tol)
        limit = limit[..., None] if len(limit.shape) else limit
    return backend.cast(xp.sum(values > limit, axis=-1), "int32")


# --- solutions ---------------------------------------------------------------------------------------------------


@op("keras.src.ops.linalg.Inv", spec=_square_rule("inv"))
def inv(x: TensorLike) -> Tensor:
    """The inverse of square matrices.

    Args:
        x: `[..., n, n]`.

    Returns:
        `[..., n, n]`. Where a matrix is singular: infinities, or an error of the backend.

    Raises:
        ValueError: If `x` holds no square matrices.
    """
    x = as_float(x)
    _check_square(x.shape, "inv")
    return _in_single(xp.linalg.inv, x)


def _pinv_rule(x: Any, **_: Any) -> KerasTensor:
    _check_matrix(x.shape, "pinv")
    return KerasTensor((*x.shape[:-2], x.shape[-1], x.shape[-2]), float_dtype(x))


@op("keras.src.ops.linalg.Pinv", spec=_pinv_rule)
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The pseudo-inverse of matrices, after Moore and Penrose.

    Args:
        x: `[..., m, n]`.
        rcond: Singular values below this part of the largest count as 0; None means `10 * max(m, n)` times the
            precision of the dtype.

    Returns:
        `[..., n, m]`.

    Raises:
        ValueError: If `x` has fewer than two axes.
    """
    x = as_float(x)
    _check_matrix(x.shape, "pinv")

    def compute(x: Any) -> Any:
        if 0 in x.shape:
            return _upward(x)
        part = 10 * max(x.shape[-2:]) * float(xp.finfo(x.dtype).eps) if rcond is None else rcond
        left, values, right = xp.linalg.svd(x, full_matrices=False)
        kept = values > part * xp.max(values, axis=-1, keepdims=True)
        inverse = xp.where(kept, 1 / xp.where(kept, values, 1), 0)
        return xp.matmul(_upward(right) * inverse[..., None, :], _upward(left))

    return _in_single(compute, x)


def _solve_shapes(a: Any, b: Any, where: str) -> tuple[int | None, ...]:
    _check_square(a, where, "a")
    vector = len(b) == len(a) - 1
    rows = b[-1] if vector and b else (b[-2] if len(b) >= 2 else None)
    if len(b) not in (len(a), len(a) - 1) or not b or (None not in (rows, a[-1]) and rows != a[-1]):
        raise ArgumentError(
            "`b` of shape [..., n] or [..., n, k] for `a` of shape [..., n, n]",
            f"a.shape={tuple(a)}, b.shape={tuple(b)}", where,
        )
    return tuple(b)


def _solve_rule(where: str) -> Callable[..., KerasTensor]:
    def rule(a: Any, b: Any, **_: Any) -> KerasTensor:
        a, b = (one if hasattr(one, "shape") else backend.asarray(one) for one in (a, b))
        return KerasTensor(_solve_shapes(a.shape, b.shape, where), float_dtype(a, b))

    return rule


def _columns(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(a, b)` for matrices b, made to take vectors too."""

    def solve(a: Any, b: Any) -> Any:
        if len(b.shape) == len(a.shape) - 1:
            return function(a, b[..., None])[..., 0]
        return function(a, b)

    return solve


@op("keras.src.ops.linalg.Solve", spec=_solve_rule("solve"))
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The solution x of `a x = b`.

    Args:
        a: `[..., n, n]`.
        b: `[..., n]` or `[..., n, k]`.

    Returns:
        A tensor of the shape of `b`.

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])).tolist()
    [1.0, 0.5]
    """
    a, b = as_floats(a, b)
    _solve_shapes(a.shape, b.shape, "solve")
    return _in_single(_columns(xp.linalg.solve), a, b)


def _prepare_triangular(a: Any, b: Any, lower: bool = False) -> tuple:
    a, b = as_floats(a, b)
    _solve_shapes(a.shape, b.shape, "solve_triangular")
    return a, b, lower


@prepared(_prepare_triangular)
@op("keras.src.ops.linalg.SolveTriangular", spec=_solve_rule("solve_triangular"))
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """The solution x of `a x = b` for triangular matrices.

    Args:
        a: `[..., n, n]`; the other triangle is not looked at.
        b: `[..., n]` or `[..., n, k]`.
        lower: Whether `a` is a lower triangle.

    Returns:
        A tensor of the shape of `b`.

    Raises:
        ValueError: If the shapes do not fit.
    """
    return _in_single(_columns(lambda a, b: _solve_triangular(a, b, lower)), a, b)


def _solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    # a dense solver on a triangle does the same substitutions
    return xp.linalg.solve(xp.tril(a) if lower else xp.triu(a), b)


def _lstsq_shapes(a: Any, b: Any) -> tuple[int | None, ...]:
    fits = len(a) == 2 and len(b) in (1, 2) and (None in (a[0], b[0]) or a[0] == b[0])
    if not fits:
        raise ArgumentError(
            "`a` of shape [m, n] and `b` of shape [m] or [m, k]", f"a.shape={tuple(a)}, b.shape={tuple(b)}", "lstsq"
        )
    return (a[1], *b[1:])


def _lstsq_rule(a: Any, b: Any, **_: Any) -> KerasTensor:
    a, b = (one if hasattr(one, "shape") else backend.asarray(one) for one in (a, b))
    return KerasTensor(_lstsq_shapes(a.shape, b.shape), float_dtype(a, b))


@op("keras.src.ops.linalg.Lstsq", spec=_lstsq_rule)
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The x that makes `a x - b` shortest; of several, the shortest x.

    Args:
        a: `[m, n]`.
        b: `[m]` or `[m, k]`.
        rcond: Singular values of `a` below this part of the largest count as 0; None means `max(m, n)` times the
            precision of the dtype.

    Returns:
        `[n]` or `[n, k]`.

    Raises:
        ValueError: If the shapes do not fit.
    """
    a, b = as_floats(a, b)
    _lstsq_shapes(a.shape, b.shape)

    def compute(a: Any, b: Any) -> Any:
        part = max(a.shape) * float(xp.finfo(a.dtype).eps) if rcond is None or rcond < 0 else rcond
        left, values, right = xp.linalg.svd(a, full_matrices=False)
        kept = values > part * xp.max(values)
        inverse = xp.where(kept, 1 / xp.where(kept, values, 1), 0)
        columns = b if len(b.shape) == 2 else b[:, None]
        result = xp.matmul(_upward(right), inverse[:, None] * xp.matmul(_upward(left), columns))
        return result if len(b.shape) == 2 else result[:, 0]

    return _in_single(compute, a, b)


# --- derivatives -------------------------------------------------------------------------------------------------


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> tuple:
    """The value of a function and its derivative in one direction (Jacobian times vector), in one forward pass.

    Args:
        fun: A function of tensors.
        primals: Where to evaluate it, one structure of tensors per argument.
        tangents: The direction, in the same structure.
        has_aux: Whether `fun` returns a pair whose second part is passed through.

    Returns:
        `(value, derivative)`, and the second part if `has_aux`.

    Raises:
        NotImplementedError: On backends without forward derivatives.

    >>> import hornbeam as keras
    >>> x = keras.ops.array(3.0)
    >>> if keras.backend.backend() == "jax":
    ...     value, slope = keras.ops.linalg.jvp(keras.ops.square, (x,), (keras.ops.ones(()),))
    ...     print(float(value), float(slope))
    ... else:
    ...     print("9.0 6.0")
    9.0 6.0
    """
    kernel = backend.overrides.get("jvp")
    if kernel is None:
        raise UnsupportedError("a backend with forward derivatives", f"the {backend.name} backend", "jvp")
    primals, tangents = (tree.map_structure(convert, tuple(one)) for one in (primals, tangents))
    if len(primals) != len(tangents):
        raise ArgumentError("as many `tangents` as `primals`", f"{len(tangents)} and {len(primals)}", "jvp")
    return kernel(fun, primals, tangents, has_aux)


# --- norms -------------------------------------------------------------------------------------------------------


def _norm_axes(rank: int, axis: Any) -> tuple[int, ...] | None:
    if axis is None:
        return None
    values = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    if len(values) not in (1, 2):
        raise ArgumentError("one axis (norm of vectors) or two (norm of matrices)", f"axis={axis!r}", "norm")
    return tuple(normalized_axis(one, rank, "norm") for one in values)


def _check_order(ord: Any, axes: tuple[int, ...] | None, rank: int) -> int:
    """Whether vectors (1) or matrices (2) are measured, or all elements as one vector (0)."""
    if axes is None and ord is None:
        return 0
    kind = rank if axes is None else len(axes)
    if kind not in (1, 2):
        raise ArgumentError("`axis` for a norm of higher rank", f"rank {rank} and ord={ord!r}", "norm")
    if isinstance(ord, str) or (kind == 2 and ord is not None):
        known = ("fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")) if kind == 2 else ()
        if ord not in known:
            which = "matrices" if kind == 2 else "vectors"
            listed = ", ".join(map(str, known)) or "a number"
            raise ArgumentError(f"an order for norms of {which}: {listed}", f"ord={ord!r}", "norm")
    elif ord is not None and not isinstance(ord, (int, float)):
        raise ArgumentTypeError("a number or a name as `ord`", repr(ord), "norm")
    return kind


def _norm_rule(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> KerasTensor:
    axes = _norm_axes(len(x.shape), axis)
    _check_order(ord, axes, len(x.shape))
    return reduced(x, axes, keepdims, float_dtype(x))


def _root(total: Any, order: float) -> Any:
    # 0 has a root without slope: it takes another way, and gets the gradient 0
    zero = total == 0
    inner = xp.where(zero, 1, total)
    return xp.where(zero, 0, xp.sqrt(inner) if order == 2 else inner ** (1 / order))


def _vector_norm(x: Any, ord: Any, axis: Any) -> Any:
    if ord is None or ord == 2:
        return _root(xp.sum(xp.square(xp.abs(x)), axis=axis, keepdims=True), 2)
    size = xp.abs(x)
    if ord == float("inf"):
        return xp.max(size, axis=axis, keepdims=True)
    if ord == -float("inf"):
        return xp.min(size, axis=axis, keepdims=True)
    if ord == 0:
        return xp.sum(backend.cast(x != 0, backend.dtype(size)), axis=axis, keepdims=True)
    if ord == 1:
        return xp.sum(size, axis=axis, keepdims=True)
    return _root(xp.sum(size**ord, axis=axis, keepdims=True), ord)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    rows, columns = axes
    if ord is None or ord == "fro":
        return _root(xp.sum(xp.square(xp.abs(x)), axis=axes, keepdims=True), 2)
    extreme = xp.max if ord == "nuc" or ord > 0 else xp.min
    if ord in (1, -1):
        return extreme(xp.sum(xp.abs(x), axis=rows, keepdims=True), axis=columns, keepdims=True)
    if ord in (float("inf"), -float("inf")):
        return extreme(xp.sum(xp.abs(x), axis=columns, keepdims=True), axis=rows, keepdims=True)
    values = xp.linalg.svd(xp.moveaxis(x, axes, (-2, -1)), full_matrices=False, compute_uv=False)
    result = xp.sum(values, axis=-1) if ord == "nuc" else extreme(values, axis=-1)
    for axis in sorted(axes):
        result = xp.expand_dims(result, axis)
    return result


@op("keras.src.ops.linalg.Norm", spec=_norm_rule)
def norm(x: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        x: Any tensor; integers become floats.
        ord: Which norm. For vectors a number p, infinities included; for matrices "fro", "nuc", 1, -1, 2, -2 or an
            infinity; None is Euclid's norm, for matrices that of Frobenius.
        axis: One axis for vectors, two for matrices. None takes all of `x`: as one long vector without `ord`, else as
            one vector or one matrix.
        keepdims: Whether these axes stay, with size 1.

    Returns:
        A float tensor without these axes. Its gradient at 0 is 0.

    Raises:
        ValueError: If there is no such norm.

    >>> import hornbeam as keras
    >>> float(keras.ops.norm([3.0, 4.0]))
    5.0
    """
    x = as_float(x)
    rank = len(x.shape)
    axes = _norm_axes(rank, axis)
    kind = _check_order(ord, axes, rank)
    over = tuple(range(rank)) if axes is None else axes
    compute = _matrix_norm if kind == 2 else _vector_norm
    result = _in_single(lambda one: compute(one, ord, over), x)
    return result if keepdims else xp.squeeze(result, axis=over)


def _distance_rule(x: Any, y: Any) -> KerasTensor:
    x, y = (one if hasattr(one, "shape") else backend.asarray(one) for one in (x, y))
    _check_points(x.shape, y.shape)
    lead = tuple(b if a in (1, None) and b != 1 else a for a, b in zip(x.shape[:-2], y.shape[:-2], strict=True))
    return KerasTensor((*lead, x.shape[-2], y.shape[-2]), promote(float_dtype(x), float_dtype(y)))


def _check_points(x: Any, y: Any) -> None:
    fits = len(x) >= 2 and len(x) == len(y) and (None in (x[-1], y[-1]) or x[-1] == y[-1])
    if not fits:
        raise ArgumentError(
            "points [..., m, d] and [..., n, d]", f"x.shape={tuple(x)} and y.shape={tuple(y)}", "cdist"
        )


@op("keras.src.ops.math.CDist", spec=_distance_rule)
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Euclid's distance of each point of one set to each of another.

    Args:
        x: Points `[..., m, d]`.
        y: Points `[..., n, d]`.

    Returns:
        `[..., m, n]`. The gradient between equal points is 0.

    Raises:
        ValueError: If the shapes do not fit.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cdist([[0.0, 0.0]], [[3.0, 4.0]])).tolist()
    [[5.0]]
    """
    x, y = as_floats(x, y)
    _check_points(x.shape, y.shape)
    # differences first: the shorter formula by dot products loses the digits of near points
    return _in_single(
        lambda x, y: _root(xp.sum(xp.square(x[..., :, None, :] - y[..., None, :, :]), axis=-1), 2), x, y
    )
