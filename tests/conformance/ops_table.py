"""One row for each op with NumPy's names (and each of its variants): inputs, options, NumPy reference, what holds.

Knows neither hornbeam nor Keras: the tests and the script that records the oracle both walk this table.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import ml_dtypes
import numpy as np

DTYPES = ("bool", "int8", "int32", "uint8", "float16", "bfloat16", "float32")
FLOATS = ("float16", "bfloat16", "float32")
INTEGERS = ("int8", "int32", "uint8")


@dataclass(frozen=True)
class T:
    """A tensor argument: shape, the interval its values lie in, and what is fixed about it."""

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    dtype: str | None = None  # None: the dtype under test
    open: bool = True  # whether axis 0 may be None
    rising: bool = False
    values: Any = None

    def make(self, key: str, dtype: str) -> np.ndarray:
        """The values, the same in each process."""
        dtype = self.dtype or dtype
        native = np.dtype(getattr(ml_dtypes, dtype)) if dtype == "bfloat16" else np.dtype(dtype)
        if self.values is not None:
            return np.asarray(self.values).astype(native)
        draw = np.random.default_rng(zlib.crc32(key.encode()))
        if dtype == "bool":
            result = draw.random(self.shape) < 0.5
        elif dtype in FLOATS + ("float64",):
            result = draw.uniform(self.low, self.high, self.shape).astype(np.float32)
        else:
            low, high = int(np.ceil(self.low)), int(np.floor(self.high))
            result = draw.integers(max(low, 0) if dtype == "uint8" else low, max(high, low + 1) + 1, self.shape)
        if self.rising:
            result = np.sort(result)
        return result.astype(native)


@dataclass(frozen=True)
class Row:
    """One op, called in one way.

    Attributes:
        name: The op, and after a colon the variant.
        args: Positional arguments; `T` stands for a tensor, also inside a list.
        kwargs: Further arguments.
        reference: The same in NumPy, taking the same arguments; None if NumPy has nothing like it.
        dtypes: Dtypes under which Keras runs it too.
        grad: Whether gradients are checked for the float tensors.
        nan: Whether NaN, infinities and signed zeros are checked against NumPy.
        empty: Whether tensors without elements are checked: axis 0 becomes 0 where it is open.
        scalar: Whether Python numbers may stand for the tensors.
        symbolic: Whether it can be recorded in a graph.
        extra_axes: How many axes the result has more than the first tensor, where `axis` counts in the result.
        tolerance: Relative tolerance of values.
    """

    name: str
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    reference: Callable[..., Any] | None = None
    dtypes: tuple[str, ...] = DTYPES
    grad: bool = False
    nan: bool = False
    empty: bool = False
    scalar: bool = False
    symbolic: bool = True
    extra_axes: int = 0
    tolerance: float = 2e-5

    @property
    def op(self) -> str:
        return self.name.partition(":")[0]

    def tensors(self, dtype: str = "float32") -> list[np.ndarray]:
        """The values of all `T`, in order."""
        return [one.make(f"{self.op}{i}", dtype) for i, one in enumerate(self.specs())]

    def specs(self) -> list[T]:
        found: list[T] = []
        self.fill(lambda one: found.append(one))
        return found

    def fill(self, make: Callable[[T], Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments, with `make(t)` for each `T`."""

        def filled(value: Any) -> Any:
            if isinstance(value, T):
                return make(value)
            if isinstance(value, list):
                return [filled(one) for one in value]
            return value

        return tuple(filled(one) for one in self.args), {key: filled(one) for key, one in self.kwargs.items()}

    def call(self, function: Callable[..., Any], tensors: list[Any]) -> Any:
        """`function` on the arguments, with `tensors` in the places of the `T`."""
        rest = iter(tensors)
        args, kwargs = self.fill(lambda _: next(rest))
        return function(*args, **kwargs)


M = T((3, 4))  # a matrix
V = T((4,))
ROWS: list[Row] = []


def row(name: str, *args: Any, reference: Any = "numpy", **options: Any) -> None:
    marks = {key: options.pop(key) for key in list(options) if key in Row.__dataclass_fields__ and key != "kwargs"}
    if reference == "numpy":
        reference = getattr(np, name.partition(":")[0])
    ROWS.append(Row(name, args, options, reference, **marks))


def unary(name: str, low: float = -2.0, high: float = 2.0, **marks: Any) -> None:
    marks = {"nan": True, "empty": True, "scalar": True, **marks}
    row(name, T((3, 4), low, high), **marks)


def binary(name: str, one: T = M, two: T = M, **marks: Any) -> None:
    marks = {"nan": True, "empty": True, "scalar": True, **marks}
    row(name, one, two, **marks)


# --- elementwise -------------------------------------------------------------------------------------------------

for _name in ("sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "arcsinh"):
    unary(_name, -1.3, 1.3, grad=True)
for _name in ("exp", "exp2", "expm1", "deg2rad", "rad2deg", "sinc", "square", "negative"):
    marks = {"dtypes": DTYPES[1:]} if _name == "negative" else {}
    unary(_name, grad=True, **marks)
unary("arcsin", -0.9, 0.9, grad=True)
unary("arccos", -0.9, 0.9, grad=True)
unary("arctanh", -0.9, 0.9, grad=True)
unary("arccosh", 1.1, 5.0, grad=True)
for _name in ("log", "log2", "log10", "sqrt", "reciprocal"):
    unary(_name, 0.2, 4.0, grad=True)
unary("log1p", -0.8, 4.0, grad=True)
unary("cbrt", 0.2, 4.0, grad=True)
unary("i0", reference=lambda x: np.i0(np.asarray(x, np.float64)), grad=True, nan=False)
for _name in ("abs", "absolute", "fabs"):
    unary(_name, grad=True)
for _name in ("ceil", "floor", "trunc"):
    unary(_name, grad=False)
unary("sign", dtypes=DTYPES[1:])
unary("round", dtypes=DTYPES[1:])
row("round:decimals", M, decimals=1, dtypes=DTYPES[1:], nan=True, empty=True)
row("round:tens", T((3, 4), -40, 40), decimals=-1, dtypes=DTYPES[1:])
unary("conj", grad=True)
unary("conjugate", grad=True)
unary("real", grad=True)
unary("imag")
unary("angle", reference=lambda x: np.angle(np.asarray(x, np.float64)), nan=False)
unary("nan_to_num", grad=True)
row("clip", M, -1, 1, grad=True, nan=True, empty=True)
row("clip:float", M, -0.5, 0.5, nan=True)
row("clip:one", M, None, 1, reference=lambda x, a, b: np.minimum(x, b))
for _name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit", "logical_not"):
    unary(_name)
unary("bitwise_not", -8, 8, dtypes=("bool", *INTEGERS), nan=False, scalar=False)
unary("bitwise_invert", -8, 8, dtypes=("bool", *INTEGERS), nan=False, scalar=False, reference=np.bitwise_not)

for _name in ("add", "multiply", "maximum", "minimum", "fmax", "fmin"):
    binary(_name, grad=True)
binary("subtract", grad=True, dtypes=DTYPES[1:])
for _name in ("true_divide", "divide"):
    binary(_name, two=T((3, 4), 0.5, 2.0), grad=True)
row("add:broadcast", T((3, 1)), T((4,), open=False), reference=np.add, grad=True)
row("multiply:scalar", M, 2.0, grad=True)
row("multiply:left", 2, M)
row("true_divide:scalar", M, 2)
binary(
    "divide_no_nan", two=T((3, 4), 0.5, 2.0), grad=True, nan=False,
    reference=lambda x, y: np.where(np.equal(y, 0), 0.0, np.true_divide(x, np.where(np.equal(y, 0), 1, y))),
)
row("divide_no_nan:zero", M, 0.0, reference=lambda x, y: np.zeros_like(x))
for _name in ("floor_divide", "mod", "fmod"):
    binary(_name, T((3, 4), -7, 7), T((3, 4), 1.2, 3.0), nan=False)
binary("power", T((3, 4), 0.5, 2.0), T((3, 4), 0.0, 2.0), grad=True)
row("power:square", M, 2, grad=True)
row("power:cube", T((3, 4), -2, 2), 3)
row("power:root", T((3, 4), 0.3, 2.0), 0.5, grad=True)
row("power:base", 2, T((3, 4), 0, 3), grad=True)
for _name in ("logaddexp", "logaddexp2", "arctan2", "hypot"):
    binary(_name, T((3, 4), 0.5, 2.0), grad=True)
binary("heaviside")
binary("nextafter", grad=False, dtypes=("bool", *INTEGERS, "float32"), tolerance=0.0)
binary("gcd", T((3, 4), 0, 30), T((3, 4), 1, 30), dtypes=INTEGERS, nan=False, scalar=False)
binary("lcm", T((3, 4), 1, 9), T((3, 4), 1, 9), dtypes=INTEGERS, nan=False, scalar=False)
binary("ldexp", M, T((3, 4), 0, 4, dtype="int32"), nan=False, scalar=False, grad=True)
for _name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    binary(_name, T((3, 4), -1, 1))
for _name in ("logical_and", "logical_or", "logical_xor"):
    binary(_name, T((3, 4), -1, 1))
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    binary(_name, T((3, 4), 0, 9), T((3, 4), 0, 9), dtypes=("bool", *INTEGERS), nan=False, scalar=False)
for _name, _np in (("left_shift", np.left_shift), ("bitwise_left_shift", np.left_shift),
                   ("right_shift", np.right_shift), ("bitwise_right_shift", np.right_shift)):  # fmt: skip
    binary(_name, T((3, 4), 0, 9), T((3, 4), 0, 3), dtypes=("bool", *INTEGERS), nan=False, scalar=False, reference=_np)
binary("isclose", nan=True)
row("isclose:equal_nan", T((3,), values=[1.0, np.nan, 2.0], dtype="float32"),
    T((3,), values=[1.0, np.nan, 3.0], dtype="float32"), equal_nan=True, rtol=0.5)  # fmt: skip
binary("allclose", nan=False)
row("where", T((3, 4), dtype="bool"), M, M, grad=True, empty=True)
row("where:scalar", T((3, 4), dtype="bool"), M, 0.0)
row("where:condition", T((3, 4), dtype="bool"), symbolic=False)
row(
    "select", [T((3, 4), dtype="bool"), T((3, 4), dtype="bool")], [M, M], 1, grad=True,
    reference=lambda c, x, d: np.select(c, x, d),
)

# --- reductions --------------------------------------------------------------------------------------------------

for _name in ("sum", "mean", "prod", "var", "std", "any", "all", "max", "min", "amax", "amin", "ptp", "median"):
    _dtypes = DTYPES[1:] if _name == "ptp" else DTYPES
    _marks: dict[str, Any] = {"nan": _name != "median", "empty": True, "dtypes": _dtypes}
    _grad = _name not in ("any", "all")
    row(_name, M, grad=_grad, **_marks)
    row(f"{_name}:axis", M, axis=1, grad=_grad, **_marks)
    row(f"{_name}:keepdims", T((2, 3, 4)), axis=(0, 2), keepdims=True, **_marks)
row("prod:dtype", M, dtype="float32", reference=lambda x, dtype: np.prod(x, dtype=dtype))
row("max:initial", M, axis=0, initial=1)
row("min:initial", M, axis=0, initial=0)
row("count_nonzero", M, nan=True, empty=True)
row("count_nonzero:axis", M, axis=1, nan=True, empty=True)
for _name in ("argmax", "argmin"):
    row(_name, M, nan=True, empty=True)
    row(f"{_name}:axis", M, axis=1, keepdims=True, nan=True, empty=True)
for _name in ("nansum", "nanmean", "nanprod", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"):
    row(_name, M, nan=True, grad=True)
    row(f"{_name}:axis", M, axis=1, keepdims=True, nan=True)
for _name in ("nanargmax", "nanargmin"):
    row(_name, M)
    row(f"{_name}:axis", M, axis=1)
for _name in ("quantile", "nanquantile"):
    row(_name, M, 0.3, axis=1, grad=_name == "quantile", reference=getattr(np, _name))
    row(f"{_name}:several", M, [0.1, 0.5], keepdims=True, reference=getattr(np, _name))
    row(f"{_name}:nearest", M, 0.4, axis=0, method="nearest", reference=getattr(np, _name))
for _name in ("percentile", "nanpercentile"):
    row(_name, M, 30, axis=1, reference=getattr(np, _name))
    row(f"{_name}:lower", M, 45, axis=(0, 1), method="lower", reference=getattr(np, _name))
row("average", M, axis=0, grad=True)
row("average:weights", M, axis=1, weights=T((4,), 0.1, 1.0, open=False), grad=True)
row("average:full", M, weights=T((3, 4), 0.5, 1.0))
row("corrcoef", M, grad=True, dtypes=DTYPES[1:])
row("bincount", T((6,), 0, 5, dtype="int32"), minlength=3, dtypes=("float32",))
row("bincount:weights", T((6,), 0, 5, dtype="int32"), weights=T((6,), 0, 2), dtypes=("float32", "int32"))
row("histogram", T((8,)), bins=4)
row("histogram:range", T((8,)), bins=3, range=(-1, 2))
row("correlate", T((5,)), T((3,), open=False), grad=True)
row("correlate:same", T((5,)), T((3,), open=False), mode="same")
row("correlate:full", T((5,)), T((3,), open=False), mode="full")
row("trace", M, grad=True)
row("trace:offset", T((2, 3, 4)), offset=1, axis1=1, axis2=2)

# --- cumulative --------------------------------------------------------------------------------------------------

for _name in ("cumsum", "cumprod", "nancumsum", "nancumprod"):
    row(_name, M, nan=True, empty=True, grad=True)
    row(f"{_name}:axis", M, axis=1, nan=True, empty=True)
    row(f"{_name}:dtype", M, axis=0, dtype="float32", nan=True)
row("diff", M, grad=True, nan=True)
row("diff:twice", M, n=2, axis=1)
row("trapezoid", M, grad=True)
row("trapezoid:dx", M, dx=0.5, axis=0)
row("trapezoid:x", M, x=T((4,), 0, 9, rising=True, open=False), grad=True)

# --- shapes ------------------------------------------------------------------------------------------------------

row("reshape", T((3, 4), open=False), (2, 6), grad=True)
row("reshape:open", M, (-1, 2), empty=True)
row("ravel", M, grad=True, empty=True)
row("transpose", M, grad=True, empty=True)
row("transpose:axes", T((2, 3, 4)), axes=(2, 0, 1), grad=True)
row("swapaxes", T((2, 3, 4)), 0, 2, grad=True)
row("moveaxis", T((2, 3, 4)), 0, 2, grad=True)
row("moveaxis:several", T((2, 3, 4)), (0, 1), (-1, 0))
row("expand_dims", M, 1, grad=True, empty=True)
row("expand_dims:last", M, axis=-1)
row("expand_dims:several", M, (0, 2))
row("squeeze", T((3, 1, 4)), grad=True)
row("squeeze:axis", T((3, 1, 4)), axis=1, grad=True, empty=True)
row("broadcast_to", T((4,), open=False), (3, 4), grad=True)
for _name in ("flip", "fliplr", "flipud", "rot90"):
    row(_name, M, grad=True, empty=_name != "rot90")
row("flip:axis", M, axis=1, grad=True)
row("rot90:k", T((2, 3, 4)), k=3, axes=(1, 2))
row("roll", M, 2, grad=True, empty=True)
row("roll:axis", M, (1, -1), axis=(0, 1))
row("repeat", M, 2, grad=True)
row("repeat:axis", M, 2, axis=1, grad=True, empty=True)
row("tile", M, (2, 1), grad=True, empty=True)
row("tile:more", V, (2, 3))
row("tile:number", M, 2)
row("pad", M, 1, grad=True, reference=lambda x, w: np.pad(x, w))
row("pad:pairs", M, ((1, 0), (0, 2)), reference=lambda x, w: np.pad(x, w), empty=True)
row("pad:value", M, 1, mode="constant", constant_values=2, reference=np.pad)
for _mode in ("edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "minimum"):
    row(f"pad:{_mode}", M, ((1, 2), (0, 1)), mode=_mode, reference=np.pad,
        dtypes=DTYPES[1:] if _mode == "linear_ramp" else DTYPES)  # fmt: skip
row("view", M, dtype="int32", dtypes=("float32",), reference=lambda x, dtype: x.view(dtype))
row("view:narrow", M, dtype="uint8", dtypes=("float32",), reference=lambda x, dtype: x.view(dtype))

# --- joining and splitting ---------------------------------------------------------------------------------------

_two = [M, M]
for _name, _reference in (("concatenate", np.concatenate), ("stack", np.stack)):
    row(_name, _two, grad=True, empty=True, reference=_reference)
    row(f"{_name}:axis", _two, axis=1, grad=True, extra_axes=int(_name == "stack"), reference=_reference)
row("concatenate:sizes", [T((3, 1)), T((3, 4))], axis=1, reference=np.concatenate)
for _name in ("hstack", "vstack", "dstack"):
    row(_name, _two, grad=True, empty=True)
    row(f"{_name}:flat", [V, V])
row("append", M, V, reference=np.append, grad=True)
row("append:axis", M, M, axis=1, reference=np.append)
row("split", T((4, 3), open=False), 2, grad=True)
row("split:places", M, [1, 3], axis=1, empty=True)
row("split:equal", M, 2, axis=1)
row("array_split", T((5, 3), open=False), 3, grad=True)
row("array_split:axis", M, 3, axis=1)
row("hsplit", M, 2, grad=True)
row("vsplit", T((4, 3), open=False), 2, grad=True)
row("dsplit", T((2, 3, 4)), 2, grad=True)
row("meshgrid", T((3,)), T((4,)), grad=True)
row("meshgrid:ij", T((3,)), T((4,)), indexing="ij")

# --- picking -----------------------------------------------------------------------------------------------------

row("take", M, [0, 5, -1], grad=True)
row("take:axis", M, T((2, 2), dtype="int32", values=[[0, 1], [3, -1]], open=False), axis=1, grad=True, empty=True)
row("take_along_axis", M, T((3, 2), dtype="int32", values=[[0, 1], [3, -1], [2, 2]]), axis=1, grad=True)
row("get_item", M, (slice(None), 1), grad=True, reference=lambda x, key: x[key], empty=True)
row("get_item:slices", T((2, 3, 4)), (Ellipsis, None, slice(1, 4, 2)), reference=lambda x, key: x[key])
row("get_item:number", M, -1, reference=lambda x, key: x[key])
row("nonzero", M, symbolic=False)
row("unravel_index", T((3,), dtype="int32", values=[5, 0, 11]), (3, 4), dtypes=("int32",))
# how long the diagonal of an open matrix is depends on the open size, which abstract evaluation takes for large
row("diag", T((3, 4), open=False), grad=True)
row("diag:vector", T((3,)), k=1, grad=True)
row("diagflat", M, k=-1, grad=True)
row("diagonal", T((3, 4), open=False), grad=True)
row("diagonal:axes", T((2, 3, 4)), offset=-1, axis1=1, axis2=2)
for _name in ("tril", "triu"):
    row(_name, M, grad=True, empty=True, nan=True)
    row(f"{_name}:k", T((2, 3, 4)), k=1)
row("vander", T((4,), open=False), dtypes=DTYPES[1:], grad=True)
row("vander:columns", T((4,)), N=3, increasing=True, dtypes=DTYPES[1:])

# --- order -------------------------------------------------------------------------------------------------------

row("sort", M, grad=True, nan=True, empty=True)
row("sort:axis", M, axis=0, nan=True)
row("argsort", M, nan=True, empty=True, reference=lambda x: np.argsort(x, stable=True))
row("argsort:axis", M, axis=0, reference=lambda x, axis: np.argsort(x, axis=axis, stable=True))
row("argpartition", T((6,)), 2, reference=None)
row("searchsorted", T((5,), rising=True, open=False), M, empty=False)
row("searchsorted:right", T((5,), rising=True, open=False), M, side="right")
row("digitize", M, T((4,), rising=True, open=False))
row("digitize:falling", M, T((3,), values=[1, 0, -1], open=False), dtypes=("float32", "int32"))
row("isin", T((3, 4), 0, 5, dtype="int32"), T((4,), 0, 3, dtype="int32", open=False))
row("isin:invert", T((3, 4), 0, 5, dtype="int32"), T((4,), 0, 3, dtype="int32", open=False), invert=True)
row("unique", T((6,), 0, 3), symbolic=False)
row(
    "unique:all", T((6,), 0, 3, dtype="int32"), return_index=True, return_inverse=True, return_counts=True,
    symbolic=False,
)
row("unique:size", T((6,), 0, 3, dtype="int32"), size=5, fill_value=9, reference=None)
row("unique:axis", T((4, 2), 0, 1, dtype="int32"), axis=0, symbolic=False)

# --- products ----------------------------------------------------------------------------------------------------

row("matmul", M, T((4, 2), open=False), grad=True, empty=True)
row("matmul:batch", T((2, 3, 4)), T((4, 2), open=False), grad=True)
row("matmul:vector", M, T((4,), open=False), grad=True)
row("dot", M, T((4, 2), open=False), grad=True, empty=True)
row("dot:vectors", T((4,), open=False), T((4,), open=False), grad=True)
row("dot:batch", T((2, 3, 4)), T((5, 4, 2), open=False))
row("tensordot", T((2, 3, 4)), T((3, 4, 5), open=False), grad=True)
row("tensordot:axes", T((2, 3, 4)), T((4, 3), open=False), axes=((1, 2), (1, 0)))
row("einsum", "ij,jk->ik", M, T((4, 2), open=False), grad=True)
row("einsum:sum", "bij->bj", T((2, 3, 4)))
row("inner", M, T((2, 4), open=False), grad=True)
row("outer", T((3,)), V, grad=True)
row("vdot", T((3, 4), open=False), T((3, 4), open=False), grad=True)
row("kron", T((2, 3)), T((2, 2), open=False), grad=True, dtypes=DTYPES[1:])
row("cross", T((2, 3)), T((2, 3)), grad=True, dtypes=DTYPES[1:])
row("cross:axis", T((3, 2), open=False), T((3, 2), open=False), axis=0, dtypes=DTYPES[1:])
row("slogdet", T((3, 3), open=False), reference=np.linalg.slogdet, grad=True, tolerance=1e-4,
    dtypes=("bool", *INTEGERS, "float32"))  # fmt: skip

# --- creation ----------------------------------------------------------------------------------------------------

for _name in ("zeros", "ones"):
    row(_name, (2, 3), dtypes=("float32",), symbolic=False)
    row(f"{_name}:dtype", (2, 3), dtype="int8", dtypes=("float32",), symbolic=False)
    row(f"{_name}_like", M)
    row(f"{_name}_like:dtype", M, dtype="int32")
row("empty", (2, 3), dtypes=("float32",), symbolic=False, reference=None)
row("empty_like", M, reference=None)
row("full", (2, 3), 7, dtypes=("float32",), symbolic=False)
row("full:dtype", (2, 3), 7, dtype="int32", dtypes=("float32",), symbolic=False)
row("full_like", M, 2)
row("full_like:dtype", M, 2.5, dtype="int32", reference=lambda x, v, dtype: np.full_like(x, int(v), dtype=dtype))
row("eye", 3, dtypes=("float32",), symbolic=False)
row("eye:more", 3, 4, 1, "int32", dtypes=("float32",), symbolic=False, reference=np.eye)
row("identity", 3, dtypes=("float32",), symbolic=False)
row("tri", 3, 4, -1, dtypes=("float32",), symbolic=False)
row("arange", 5, dtypes=("float32",), symbolic=False)
row("arange:step", 1, 2, 0.25, dtypes=("float32",), symbolic=False)
row("arange:dtype", 1, 7, 2, dtype="float32", dtypes=("float32",), symbolic=False)
row("linspace", T((3,), -2, 0), T((3,), 1, 3), num=4, grad=True)
row("linspace:numbers", 0, 1, num=5, endpoint=False, dtypes=("float32",), symbolic=False)
row("linspace:step", T((3,), -2, 0), 3, num=4, retstep=True, axis=-1)
row("linspace:dtype", 0, 10, num=4, dtype="int32", dtypes=("float32",), symbolic=False)
row("logspace", T((3,), 0, 1), T((3,), 1, 2), num=4, grad=True, tolerance=1e-4)
row("logspace:base", 0, 3, num=4, base=2, dtypes=("float32",), symbolic=False)
row("geomspace", T((3,), 1, 2), T((3,), 3, 4), num=4, grad=True, tolerance=1e-4, dtypes=DTYPES[1:])
row("array", M, grad=True)
row("array:dtype", M, dtype="float32")
row("copy", M, grad=True, empty=True)
for _name in ("bartlett", "blackman", "hamming", "hanning"):
    row(_name, 7, dtypes=("float32",), symbolic=False)
row("kaiser", 7, 5.0, dtypes=("float32",), symbolic=False)
row("size", M)
row("ndim", M, symbolic=False)

BY_NAME = {one.name: one for one in ROWS}
assert len(BY_NAME) == len(ROWS), "two rows have one name"


def opened(spec: T) -> tuple[int | None, ...]:
    """The shape of a tensor argument with axis 0 open where it may be."""
    return (None, *spec.shape[1:]) if spec.open and spec.shape else spec.shape


def emptied(row: Row) -> Row:
    """The row with no elements along the open axes."""
    rest = iter([replace(one, shape=(0, *one.shape[1:]) if one.open else one.shape) for one in row.specs()])
    args, kwargs = row.fill(lambda _: next(rest))
    return replace(row, args=args, kwargs=kwargs)
