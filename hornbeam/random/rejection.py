"""Gamma, beta and binomial numbers: exact methods that try again where a candidate is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.ops.define import Tensor, TensorLike
from hornbeam.random.distributions import Seed, _checked, _parameter
from hornbeam.random.sampling import draw, open_unit, run, scalar, standard_normal, together, unit
from hornbeam.random.seed_generator import draw_seed

xp = backend.xp

# A candidate is refused with a probability below 5 %, so this many rounds are never used up.
_ROUNDS = 100
# Binomial numbers of so few trials are counted; larger ones are halved first.
_COUNTED = 16


def gamma(shape: Sequence[int], alpha: TensorLike, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Numbers of a gamma distribution with scale 1.

    G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000. No
    gradient flows into `alpha`.

    Args:
        shape: The shape of the result.
        alpha: The shape parameter, positive; a number or a tensor that broadcasts to `shape`.
        dtype: A float dtype; None is the default float type.
        seed: An integer, which gives the same numbers each time; a `SeedGenerator`; or None.

    Returns:
        Tensor of `shape`; NaN where `alpha` is negative, 0 where it is 0.

    >>> import hornbeam as keras
    >>> keras.random.gamma((2,), alpha=3.0, seed=1).shape
    (2,)
    """
    shape, dtype = _checked(shape, dtype, "gamma")
    wide = _wide(dtype)
    alpha = _spread(alpha, shape, wide, "gamma", "alpha")
    return run(_gamma, together(draw_seed(seed), alpha), shape, wide, dtype)


def _gamma(key: Any, alpha: Any, shape: tuple[int, ...], wide: str, dtype: str) -> Any:
    return _cast(xp.exp(_log_gamma(key, alpha, shape, wide)[1]), dtype)


def beta(shape: Sequence[int], alpha: TensorLike, beta: TensorLike, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Numbers of a beta distribution, as the share of one gamma number in the sum of two.

    No gradient flows into the parameters.

    Args:
        shape: The shape of the result.
        alpha: The first parameter, positive; a number or a tensor that broadcasts to `shape`.
        beta: The second parameter, likewise.
        dtype: A float dtype; None is the default float type.
        seed: As in `gamma`.

    Returns:
        Tensor of `shape`, from 0 to 1.

    >>> import hornbeam as keras
    >>> keras.random.beta((2,), alpha=2.0, beta=3.0, seed=1).shape
    (2,)
    """
    shape, dtype = _checked(shape, dtype, "beta")
    wide = _wide(dtype)
    a, b = (_spread(one, shape, wide, "beta", what) for one, what in ((alpha, "alpha"), (beta, "beta")))
    return _cast(run(_beta, together(draw_seed(seed), a, b), shape, wide), dtype)


def binomial(
    shape: Sequence[int], counts: TensorLike, probabilities: TensorLike, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """How many of `counts` trials succeed.

    Many trials are divided at their median order statistic, a beta number, until few are left to count
    (L. Devroye, "Non-uniform random variate generation", 1986, X.4.3). No gradient flows into the parameters.

    Args:
        shape: The shape of the result.
        counts: The number of trials; a number or a tensor that broadcasts to `shape`.
        probabilities: The probability of success, likewise.
        dtype: A float dtype; None is the default float type.
        seed: As in `gamma`.

    Returns:
        Float tensor of `shape`; NaN where `counts` is negative or a probability outside of [0, 1].

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.random.binomial((2,), counts=5, probabilities=1.0, seed=1)).tolist()
    [5.0, 5.0]
    """
    shape, dtype = _checked(shape, dtype, "binomial", "Cast the result if you need integers.")
    wide = _wide(dtype)
    n = xp.floor(_spread(counts, shape, wide, "binomial", "counts"))
    p = _spread(probabilities, shape, wide, "binomial", "probabilities")
    return _cast(run(_binomial, together(draw_seed(seed), n, p), shape, wide), dtype)


def _binomial(key: Any, n: Any, p: Any, shape: tuple[int, ...], wide: str) -> Any:
    zero, one = scalar(0.0, wide), scalar(1.0, wide)
    valid = (n >= zero) & (p >= zero) & (p <= one)
    n, p = xp.where(valid, n, zero), xp.where(valid, p, zero)
    key, trials = draw(key, _COUNTED, shape)

    def too_many(_key: Any, left: Any, _share: Any, _found: Any) -> Any:
        return xp.any(left > scalar(float(_COUNTED), wide))

    def divide(key: Any, left: Any, share: Any, found: Any) -> tuple:
        # the value of the middle one of `left` uniform numbers
        rank = xp.floor(left * scalar(0.5, wide)) + one
        key, middle = _next_beta(key, rank, xp.maximum(left + one - rank, one), shape, wide)
        below = middle <= share
        new_share = xp.where(below, (share - middle) / (one - middle), share / middle)
        new_left = xp.where(below, left - rank, rank - one)
        active = left > scalar(float(_COUNTED), wide)
        return (
            key,
            xp.where(active, new_left, left),
            xp.where(active, xp.clip(new_share, zero, one), share),
            xp.where(active & below, found + rank, found),
        )

    _, left, share, found = backend.while_loop(too_many, divide, (key, n, p, xp.zeros_like(n)), _ROUNDS)
    trials = xp.stack([unit(words, wide) for words in trials])
    order = xp.reshape(xp.arange(_COUNTED), (_COUNTED, *(1 for _ in shape)))
    successes = xp.sum((trials < share) & (backend.cast(order, wide) < left), axis=0)
    found = found + backend.cast(successes, wide)
    return xp.where(valid, found, scalar(float("nan"), wide))


def _wide(dtype: str) -> str:
    return backend.narrowed.get("float64", "float64") if dtype == "float64" else "float32"


def _cast(value: Any, dtype: str) -> Any:
    return value if backend.dtype(value) == dtype else backend.cast(value, dtype)


def _spread(value: Any, shape: tuple[int, ...], dtype: str, where: str, what: str) -> Any:
    """A parameter as a tensor of the shape of the result."""
    value = backend.stop_gradient(backend.asarray(_parameter(value, dtype), dtype))
    try:
        return xp.broadcast_to(value, shape)
    except (ValueError, TypeError, RuntimeError):
        got = f"shape={backend.shape(value)}"
        raise ArgumentError(f"{what} that broadcasts to shape={shape}", got, where) from None


def _beta(key: Any, a: Any, b: Any, shape: tuple[int, ...], dtype: str) -> Any:
    return _next_beta(key, a, b, shape, dtype)[1]


def _next_beta(key: Any, a: Any, b: Any, shape: tuple[int, ...], dtype: str) -> tuple[Any, Any]:
    key, both = _log_gamma(key, xp.stack([a, b]), (2, *shape), dtype)
    return key, xp.exp(both[0] - xp.logaddexp(both[0], both[1]))


def _log_gamma(key: Any, alpha: Any, shape: tuple[int, ...], dtype: str) -> tuple[Any, Any]:
    """A new key, and logarithms of gamma numbers: small shape parameters give numbers that nothing else can hold."""
    key, (power,) = draw(key, 1, shape)
    zero, one = scalar(0.0, dtype), scalar(1.0, dtype)
    valid = alpha > zero
    small = alpha < one
    shifted = xp.where(valid, xp.where(small, alpha + one, alpha), one)
    d = shifted - scalar(1 / 3, dtype)
    c = scalar(1 / 3, dtype) / xp.sqrt(d)

    def unsettled(_key: Any, settled: Any, _log_v: Any) -> Any:
        return xp.logical_not(xp.all(settled))

    def attempt(key: Any, settled: Any, log_v: Any) -> tuple:
        key, (first, second) = draw(key, 2, shape)
        x = standard_normal(first, dtype)
        root = one + c * x
        candidate = scalar(3.0, dtype) * xp.log(xp.where(root > zero, root, one))
        half = scalar(0.5, dtype)
        bound = half * x * x + d * (one - xp.exp(candidate) + candidate)
        fits = (root > zero) & (xp.log(open_unit(second, dtype)) < bound)
        return key, settled | fits, xp.where(settled | xp.logical_not(fits), log_v, candidate)

    start = (key, xp.logical_not(valid), xp.zeros_like(d))
    key, _, log_v = backend.while_loop(unsettled, attempt, start, _ROUNDS)
    # a number for alpha + 1 times a power of a uniform one is a number for alpha
    factor = xp.log(open_unit(power, dtype)) / xp.where(valid, alpha, one)
    result = xp.log(d) + log_v + xp.where(small, factor, zero)
    invalid = xp.where(alpha == zero, scalar(float("-inf"), dtype), scalar(float("nan"), dtype))
    return key, xp.where(valid, result, invalid)
