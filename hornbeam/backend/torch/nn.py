"""The ops for which torch owns a better kernel than the plain form over `xp`: one table, at the end.

Each has the signature of the op's body and gets what that body would get: tensors or Python numbers, with arguments
completed where the op completes them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch.nn import functional

from hornbeam import _config
from hornbeam.backend.torch import convolution, program, rank
from hornbeam.backend.torch.native import dtype_of, lifted, tensor
from hornbeam.errors import UnsupportedError

Axis = int | Sequence[int] | None


def _float(x: Any) -> torch.Tensor:
    """`x` as a tensor of a float dtype: integers and bools become the default one."""
    x = tensor(x)
    return x if x.is_floating_point() or x.is_complex() else x.to(dtype_of(_config.floatx()))


def _activation(function: Callable[..., Any]) -> Callable[..., Any]:
    apply = lifted(function)
    return lambda x, *args, **kwargs: apply(_float(x), *args, **kwargs)


def relu(x: Any) -> torch.Tensor:
    x = tensor(x)
    return _relu(x.to(torch.int32) if x.dtype == torch.bool else x)


_relu = lifted(torch.relu)


def _gelu(x: torch.Tensor, approximate: bool = True) -> torch.Tensor:
    return functional.gelu(x, approximate="tanh" if approximate else "none")


def _leaky_relu(x: torch.Tensor, negative_slope: float = 0.2) -> torch.Tensor:
    return functional.leaky_relu(x, negative_slope)


def _elu(x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
    return functional.elu(x, alpha)


def _celu(x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
    return functional.celu(x, alpha)


def _softplus(x: torch.Tensor) -> torch.Tensor:
    return functional.softplus(x, threshold=_LINEAR.get(x.dtype, 20.0))


# From where on log(1 + exp(x)) is x itself in a dtype. torch goes over at 20, too early for float64.
_LINEAR = {torch.float64: 40.0}


@lifted
def _softmax(x: torch.Tensor, axis: Any) -> torch.Tensor:
    if isinstance(axis, int):
        return torch.softmax(x, axis)
    return torch.exp(x - torch.logsumexp(x, tuple(axis), keepdim=True))


def softmax(x: Any, axis: Axis = -1) -> torch.Tensor:
    x = _float(x)
    result = _softmax(x, axis)
    if result.requires_grad and isinstance(axis, int):
        # a cross-entropy of these probabilities has a much shorter way through the logits
        result._hornbeam_logits = (x, axis % x.ndim)
    return result


@lifted
def _log_softmax(x: torch.Tensor, axis: Any) -> torch.Tensor:
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    return x - torch.logsumexp(x, tuple(axis), keepdim=True)


def log_softmax(x: Any, axis: Axis = -1) -> torch.Tensor:
    return _log_softmax(_float(x), axis)


@lifted
def _logsumexp(x: torch.Tensor, axis: Any, keepdims: bool) -> torch.Tensor:
    return torch.logsumexp(x, axis, keepdim=keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> torch.Tensor:
    x = _float(x)
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(rank.counted(one, x.ndim) for one in axes)
    return _logsumexp(x, axes, keepdims) if axes else x


def sparse_categorical_crossentropy(
    target: torch.Tensor, output: torch.Tensor, from_logits: bool, axis: int
) -> torch.Tensor:
    known = None if from_logits else getattr(output, "_hornbeam_logits", None)
    output = _float(output)
    dtype = output.dtype
    if dtype in (torch.float16, torch.bfloat16):
        output, known = output.to(torch.float32), None
    labels = target if target.dtype == torch.int64 else target.to(torch.int64)
    epsilon = _config.epsilon()
    if from_logits or (known is not None and known[1] == axis):
        logs = torch.log_softmax(output if known is None else known[0], axis)
    else:
        logs = output / torch.sum(output, axis, keepdim=True)  # not logarithms yet: one of each row will do
    logs = logs if axis == logs.ndim - 1 else torch.movedim(logs, axis, -1)
    flat = labels.ndim == 1  # as mostly; reshaping would cost a step in the gradient too
    rows, numbers = (logs, labels) if flat else (logs.reshape(-1, logs.shape[-1]), labels.reshape(-1))
    loss, all_named = _minus_picked(rows, numbers)
    loss = loss if flat else loss.reshape(labels.shape)
    if not from_logits:
        if known is None:
            loss = -torch.log(torch.clamp(-loss, epsilon, 1 - epsilon))
        else:
            loss = _clamped(loss, -math.log1p(-epsilon), -math.log(epsilon))
        if not all_named:
            loss = torch.where(_named(labels, logs.shape[-1]), loss, 0)
    return loss if dtype == loss.dtype else loss.to(dtype)


def _clamped(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """`x` between bounds that it seldom leaves: on a CPU a look at a few numbers costs less than a clamp's gradient."""
    if x.device.type == "cpu" and 0 < x.numel() <= _FEW and not program.is_traced(x):
        with suppress(RuntimeError):  # of `torch.vmap`, where tensors have no values
            least, most = torch.aminmax(x.detach())
            if low <= least.item() and most.item() <= high:  # not so where there is a NaN
                return x
    return torch.clamp(x, low, high)


_FEW = 1 << 14


def _named(labels: torch.Tensor, count: int) -> torch.Tensor:
    """Which numbers name a class."""
    return (labels >= 0) & (labels < count)


def _minus_picked(rows: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, bool]:
    """Minus the element of each row that a number names, 0 if it names none; and whether all are known to name one."""
    if labels.device.type == "cpu" and not program.is_traced(labels):
        with suppress(IndexError):  # which CPUs raise, so that looking first can be left out
            return functional.nll_loss(rows, labels, reduction="none"), True
    inside = _named(labels, rows.shape[-1])
    labels = torch.where(inside, labels, -100)
    return functional.nll_loss(rows, labels, reduction="none", ignore_index=-100), False


@lifted
def _top_k(x: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    # torch.topk does not say which of equal elements it takes; the first ones come first in a stable order
    order = torch.argsort(x, dim=-1, descending=True, stable=True)[..., :k]
    return torch.take_along_dim(x, order, dim=-1), order.to(torch.int32)


def top_k(x: torch.Tensor, k: int, sorted: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    return _top_k(x, k)


def one_hot(x: torch.Tensor, num_classes: int, axis: int, dtype: str, sparse: bool) -> torch.Tensor:
    classes = torch.arange(num_classes, device=x.device)
    found = x.unsqueeze(-1) == classes
    return torch.movedim(found, -1, axis).to(dtype_of(dtype))


def rows(x: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Rows of a tensor, all of them in range."""
    return torch.index_select(x, 0, indices) if indices.ndim == 1 else x[indices]


def get_item(x: Any, key: Any) -> torch.Tensor:
    """`x[key]`, where slices may go backwards, which torch's may not."""
    x = tensor(x)
    key = tuple(key) if isinstance(key, list) else key
    parts = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(one, slice) and one.step is not None and one.step < 0 for one in parts):
        return x[key]
    taken = sum(one.ndim if _is_mask(one) else 1 for one in parts if one is not None and one is not Ellipsis)
    axis, forward = 0, []
    for one in parts:
        if isinstance(one, slice) and one.step is not None and one.step < 0:
            places = range(x.shape[axis])[one]
            x = torch.index_select(x, axis, torch.tensor(list(places), dtype=torch.int64, device=x.device))
            one = slice(None)
        forward.append(one)
        if one is Ellipsis:
            axis += x.ndim - taken
        elif one is not None:
            axis += one.ndim if _is_mask(one) else 1
    return x[tuple(forward)]


def _is_mask(key: Any) -> bool:
    return isinstance(key, torch.Tensor) and key.dtype == torch.bool


# --- writing at positions ----------------------------------------------------------------------------------------

_REDUCTIONS = {"max": "amax", "min": "amin", "mul": "prod"}


@lifted
def written(target: torch.Tensor, index: tuple, updates: Any, reduction: str | None) -> torch.Tensor:
    """`target` with `updates` at `index`; equal positions are reduced. `target` itself stays."""
    updates = tensor(updates).to(target.dtype)
    if not all(isinstance(one, torch.Tensor) for one in index):  # slices
        result = target.clone()
        result[index] = updates
        return result
    places = [one.to(torch.int64) for one in index]
    shape = torch.broadcast_shapes(*(one.shape for one in places))
    updates = torch.broadcast_to(updates, (*shape, *target.shape[len(places) :]))
    if reduction in (None, "add"):
        return target.index_put(places, updates, accumulate=reduction == "add")
    flat: Any = 0
    for one, size in zip(places, target.shape, strict=False):
        flat = flat * size + torch.where(one < 0, one + size, one)
    flat = torch.broadcast_to(flat, shape).reshape(-1)
    whole = target.reshape(math.prod(target.shape[: len(places)]), -1)
    part = updates.reshape(flat.shape[0], -1)
    result = whole.scatter_reduce(0, flat[:, None].expand_as(part), part, _REDUCTIONS[reduction])
    return result.reshape(target.shape)


def _segments(reduction: str, neutral: Callable[[torch.dtype], Any]) -> Callable[..., torch.Tensor]:
    @lifted
    def segment(
        data: torch.Tensor, segment_ids: torch.Tensor, num_segments: int, sorted: bool = False
    ) -> torch.Tensor:
        shape = (num_segments + 1, *data.shape[1:])  # ids outside of the range go to a row that is left out
        start = torch.full(shape, neutral(data.dtype), dtype=data.dtype, device=data.device)
        inside = (segment_ids >= 0) & (segment_ids < num_segments)
        ids = torch.where(inside, segment_ids, num_segments).to(torch.int64)
        ids = ids.reshape(-1, *(1,) * (data.ndim - 1)).expand_as(data)
        return start.scatter_reduce(0, ids, data, reduction)[:num_segments]

    return segment


def _limit(dtype: torch.dtype, largest: bool) -> Any:
    if dtype.is_floating_point:
        return math.inf if largest else -math.inf
    return torch.iinfo(dtype).max if largest else torch.iinfo(dtype).min


# --- linear algebra ----------------------------------------------------------------------------------------------


@lifted
def solve_triangular(a: torch.Tensor, b: torch.Tensor, lower: bool = False) -> torch.Tensor:
    vector = b.ndim == a.ndim - 1
    result = torch.linalg.solve_triangular(a, b[..., None] if vector else b, upper=not lower)
    return result[..., 0] if vector else result


@lifted
def _lu_factor(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    factors, pivots = torch.linalg.lu_factor(x)
    return factors, pivots - 1  # counted from 0


def lu_factor(x: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return _lu_factor(_float(x))


def jvp(fun: Callable[..., Any], primals: tuple, tangents: tuple, has_aux: bool) -> tuple:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch's own modules about each other
        if has_aux:
            return torch.func.jvp(fun, primals, tangents, has_aux=True)
        return torch.func.jvp(fun, primals, tangents)


# --- attention ---------------------------------------------------------------------------------------------------


def dot_product_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: Any, mask: Any, scale: Any, is_causal: bool,
    flash_attention: bool | None, attn_logits_soft_cap: float | None,
) -> torch.Tensor:
    if flash_attention and query.device.type != "cuda":
        raise UnsupportedError(
            "a GPU for a fused attention kernel", f"the device kind {query.device.type!r}", "dot_product_attention",
            "Pass flash_attention=None.",
        )
    groups = query.shape[2] // key.shape[2] if key.shape[2] else 1
    query, key, value = (torch.swapaxes(one, 1, 2) for one in (query, key, value))
    if groups > 1:
        key, value = (torch.repeat_interleave(one, groups, dim=1) for one in (key, value))
    if attn_logits_soft_cap is not None or isinstance(scale, torch.Tensor):
        result = _attention(query, key, value, bias, mask, scale, is_causal, attn_logits_soft_cap)
        return torch.swapaxes(result, 1, 2)
    if is_causal and (mask is not None or bias is not None or query.shape[2] != key.shape[2]):
        mask, is_causal = _causal(query, key) if mask is None else mask & _causal(query, key), False
    empty = None
    if mask is not None:  # a query that may look nowhere looks everywhere, and learns nothing by it
        empty = torch.logical_not(torch.any(mask, -1, keepdim=True))
        if query.device.type == "cpu" and not program.is_traced(empty) and not bool(torch.any(empty)):
            empty = None
        else:
            mask = mask | empty
    extra = mask
    if bias is not None:
        extra = tensor(bias).to(query.dtype)
        extra = extra if mask is None else torch.where(mask, extra, _lowest(query.dtype))
    if extra is not None:
        extra = torch.broadcast_to(extra, (*query.shape[:3], key.shape[2]))
    result = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=extra, is_causal=is_causal, scale=float(scale)
    )
    if empty is not None:
        result = torch.where(empty, torch.mean(value, 2, keepdim=True), result)
    return torch.swapaxes(result, 1, 2)


def _lowest(dtype: torch.dtype) -> float:
    """Far below any logit, and still finite when a bias is added."""
    return -0.7 * torch.finfo(dtype).max


def _causal(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    places = [torch.arange(one.shape[2], device=query.device) for one in (query, key)]
    return places[0][:, None] >= places[1]


def _attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: Any, mask: Any, scale: Any, is_causal: bool,
    soft_cap: float | None,
) -> torch.Tensor:
    """What torch's own attention does not offer: bent logits, a scale that is learnt."""
    dtype = query.dtype
    work = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
    logits = torch.matmul(query.to(work), torch.swapaxes(key, 2, 3).to(work)) * scale
    if bias is not None:
        logits = logits + tensor(bias).to(work)
    if soft_cap is not None:
        logits = soft_cap * torch.tanh(logits / soft_cap)
    if is_causal:
        mask = _causal(query, key) if mask is None else mask & _causal(query, key)
    if mask is not None:
        logits = torch.where(mask, logits, _lowest(work))
    return torch.matmul(torch.softmax(logits, -1), value.to(work)).to(dtype)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "relu": relu,
    "relu6": _activation(functional.relu6),
    "leaky_relu": _activation(_leaky_relu),
    "elu": _activation(_elu),
    "selu": _activation(torch.selu),
    "celu": _activation(_celu),
    "sigmoid": _activation(torch.sigmoid),
    "log_sigmoid": _activation(functional.logsigmoid),
    "softplus": _activation(_softplus),
    "softsign": _activation(functional.softsign),
    "silu": _activation(functional.silu),
    "gelu": _activation(_gelu),
    "softmax": softmax,
    "log_softmax": log_softmax,
    "erf": _activation(torch.erf),
    "erfc": _activation(torch.erfc),
    "erfinv": _activation(torch.erfinv),
    "rsqrt": _activation(torch.rsqrt),
    "logsumexp": logsumexp,
    "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
    "top_k": top_k,
    "one_hot": one_hot,
    "_get_item": get_item,
    "conv": convolution.conv,
    "depthwise_conv": convolution.depthwise_conv,
    "separable_conv": convolution.separable_conv,
    "conv_transpose": convolution.conv_transpose,
    "max_pool": convolution.max_pool,
    "average_pool": convolution.average_pool,
    "dot_product_attention": dot_product_attention,
    "solve_triangular": solve_triangular,
    "lu_factor": lu_factor,
    "jvp": jvp,
    "segment_sum": _segments("sum", lambda _: 0),
    "segment_prod": _segments("prod", lambda _: 1),
    "segment_max": _segments("amax", lambda dtype: _limit(dtype, False)),
    "segment_min": _segments("amin", lambda dtype: _limit(dtype, True)),
}
