"""`hornbeam.activations`: the functions that layers take as `activation`, and how files name them.

Most are ops under their own name; the rest differ from the op of that name in arguments or defaults.
"""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.ops import activation as _ops
from hornbeam.ops.define import Tensor, TensorLike, as_tensor, like_float, op
from hornbeam.ops.front import in_float
from hornbeam.ops.numpy import exp, multiply, tanh
from hornbeam.saving.lookup import make_registry_functions
from hornbeam.symbolic import KerasTensor

xp = backend.xp

celu = wire("keras.activations.celu")(_ops.celu)
elu = wire("keras.activations.elu")(_ops.elu)
exponential = wire("keras.activations.exponential")(exp)
glu = wire("keras.activations.glu")(_ops.glu)
hard_shrink = wire("keras.activations.hard_shrink")(_ops.hard_shrink)
hard_sigmoid = wire("keras.activations.hard_sigmoid")(_ops.hard_sigmoid)
hard_silu = hard_swish = wire("keras.activations.hard_silu", "keras.activations.hard_swish")(_ops.hard_silu)
hard_tanh = wire("keras.activations.hard_tanh")(_ops.hard_tanh)
leaky_relu = wire("keras.activations.leaky_relu")(_ops.leaky_relu)
log_sigmoid = wire("keras.activations.log_sigmoid")(_ops.log_sigmoid)
log_softmax = wire("keras.activations.log_softmax")(_ops.log_softmax)
relu6 = wire("keras.activations.relu6")(_ops.relu6)
selu = wire("keras.activations.selu")(_ops.selu)
sigmoid = wire("keras.activations.sigmoid")(_ops.sigmoid)
silu = swish = wire("keras.activations.silu", "keras.activations.swish")(_ops.silu)
soft_shrink = wire("keras.activations.soft_shrink")(_ops.soft_shrink)
softmax = wire("keras.activations.softmax")(_ops.softmax)
softplus = wire("keras.activations.softplus")(_ops.softplus)
softsign = wire("keras.activations.softsign")(_ops.softsign)
sparse_plus = wire("keras.activations.sparse_plus")(_ops.sparse_plus)
sparse_sigmoid = wire("keras.activations.sparse_sigmoid")(_ops.sparse_sigmoid)
sparsemax = wire("keras.activations.sparsemax")(_ops.sparsemax)
squareplus = wire("keras.activations.squareplus")(_ops.squareplus)
tanh = wire("keras.activations.tanh")(tanh)
tanh_shrink = wire("keras.activations.tanh_shrink")(_ops.tanh_shrink)
threshold = wire("keras.activations.threshold")(_ops.threshold)


@wire("keras.activations.linear")
def linear(x: TensorLike) -> TensorLike:
    """`x` itself.

    >>> import hornbeam as keras
    >>> keras.activations.linear(3.0)
    3.0
    """
    return x


@wire("keras.activations.gelu")
def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """Gaussian error linear unit, `x * P(X <= x)` for a standard normal X; https://arxiv.org/abs/1606.08415.

    Args:
        x: Any tensor; integers become floats.
        approximate: Whether to use the usual formula with tanh instead of the error function. Unlike
            `ops.gelu`, the activation does not unless told to.

    Returns:
        A float tensor like `x`.

    >>> import hornbeam as keras
    >>> round(float(keras.activations.gelu(1.0)), 4)
    0.8413
    """
    return _ops.gelu(x, approximate)


@wire("keras.activations.mish")
def mish(x: TensorLike) -> Tensor:
    """`x * tanh(softplus(x))`; https://arxiv.org/abs/1908.08681.

    >>> import hornbeam as keras
    >>> round(float(keras.activations.mish(1.0)), 4)
    0.8651
    """
    return multiply(x, tanh(_ops.softplus(x)))


def _relu_rule(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> KerasTensor:
    if _plain(negative_slope, max_value, threshold):
        return _ops.relu.definition.spec(x)
    return like_float(x)


def _plain(negative_slope: float, max_value: float | None, threshold: float) -> bool:
    return max_value is None and negative_slope == 0 and threshold == 0


@op("keras.src.activations.activations.ReLU", spec=_relu_rule)
def clipped_relu(
    x: TensorLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """What graph nodes of `relu` run; see there."""
    if _plain(negative_slope, max_value, threshold):
        return _ops.relu.definition.body(x)
    return _clipped(as_tensor(x), negative_slope, max_value, threshold)


@in_float
def _clipped(x: Any, negative_slope: float, max_value: float | None, threshold: float) -> Any:
    left = negative_slope * (x - threshold) if negative_slope else 0
    result = xp.where(x <= threshold, left, x)
    return result if max_value is None else xp.where(result > max_value, max_value, result)


@wire("keras.activations.relu")
def relu(
    x: TensorLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """Rectified linear unit: `x` above `threshold`, at most `max_value`, and a slope below.

    Args:
        x: Any tensor; integers stay integers as long as the other arguments have their defaults.
        negative_slope: The slope up to `threshold`, where the value is `negative_slope * (x - threshold)`.
        max_value: The largest value, or None.
        threshold: Up to where `x` counts as negative.

    Returns:
        A tensor like `x`.

    >>> import hornbeam as keras
    >>> x = keras.ops.array([-10.0, 0.5, 3.0, 9.0])
    >>> keras.ops.convert_to_numpy(keras.activations.relu(x, max_value=6.0, threshold=1.0)).tolist()
    [0.0, 0.0, 3.0, 6.0]
    """
    if type(x) is not KerasTensor and _plain(negative_slope, max_value, threshold):
        return _ops.relu(x)
    return clipped_relu(x, negative_slope=negative_slope, max_value=max_value, threshold=threshold)


get, serialize, deserialize = make_registry_functions(
    "activation", "keras.activations", none=linear, instantiate=False, prefer="function", bare_names=True
)

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
