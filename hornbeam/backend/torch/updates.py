"""Updates of all variables in place by torch's fused kernels, for the optimizers whose arithmetic they have."""

# these kernels are what torch's own optimizers run on
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def number(handle: Any) -> float:
    """The number in a scalar variable.

    It is kept with the count of changes that torch has for the tensor: reading it again while nothing has changed would
    only make the host wait for the device.
    """
    known = getattr(handle, "_hornbeam_number", None)
    if known is None or known[0] != handle._version:
        known = handle._hornbeam_number = (handle._version, handle.item())
    return known[1]


def _laid_out(gradients: list[torch.Tensor]) -> list[torch.Tensor]:
    """The kernels take memory as it comes: gradients must lie in it as the variables do."""
    return [one if one.is_contiguous() else one.contiguous() for one in gradients]


def adam(
    handles: list[Any], gradients: list[Any], means: list[Any], squares: list[Any], largest: list[Any], rate: Any,
    iterations: Any, decaying: list[Any], decay: float | None, beta_1: float, beta_2: float, epsilon: float,
) -> None:
    """One step of Adam, after the decay of weights.

    Args:
        handles: The variables.
        gradients: Their gradients.
        means: The running means.
        squares: The running mean squares.
        largest: The largest mean squares so far; empty without amsgrad.
        rate: The learning rate: a variable or a tensor.
        iterations: The count of steps done so far, a variable.
        decaying: Those of the variables that decay.
        decay: The part of them that does, for a learning rate of 1.
        beta_1: The weight of the past in the means.
        beta_2: That in the mean squares.
        epsilon: What keeps the division finite; added to the root of a mean square before its correction, whereas
            the kernel adds it after, which comes to the same by this factor.
    """
    count = number(iterations) + 1
    step = float(number(rate)) if isinstance(rate, torch.nn.Parameter) else rate.item()
    if decaying and decay:
        torch._foreach_mul_(decaying, 1.0 - decay * step)
    # The correction of the start in single precision, as the plain form has it; the kernel makes its own, exactly,
    # which is taken out again.
    one, wide = np.float32(1), np.float32
    first, second = 1.0 - beta_1**count, (1.0 - beta_2**count) ** 0.5
    rounded = np.sqrt(one - wide(beta_2) ** wide(count)) / (one - wide(beta_1) ** wide(count))
    torch._fused_adam_(
        handles, _laid_out(gradients), means, squares, largest,
        [torch.full((), float(count), device=handles[0].device)] * len(handles),
        lr=step * float(rounded) * first / second, beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon / second,
        amsgrad=bool(largest), maximize=False,
    )
    _advance(iterations, count)


def sgd(
    handles: list[Any], gradients: list[Any], velocities: list[Any], rate: Any, iterations: Any, decaying: list[Any],
    decay: float | None, momentum: float, nesterov: bool,
) -> None:
    """One step of gradient descent; the velocity holds `momentum * velocity - rate * gradient`.

    The kernel of torch keeps a velocity that the rate is not part of, so that the two differ where the rate changes;
    this is done by its plain kernels.
    """
    count = number(iterations) + 1
    step = float(number(rate)) if isinstance(rate, torch.nn.Parameter) else rate.item()
    if decaying and decay:
        torch._foreach_mul_(decaying, 1.0 - decay * step)
    if not velocities:
        torch._foreach_add_(handles, gradients, alpha=-step)
    else:
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, gradients, alpha=-step)
        if nesterov:
            torch._foreach_add_(handles, velocities, alpha=momentum)
            torch._foreach_add_(handles, gradients, alpha=-step)
        else:
            torch._foreach_add_(handles, velocities)
    _advance(iterations, count)


def _advance(iterations: Any, count: float) -> None:
    iterations.add_(1)
    iterations._hornbeam_number = (iterations._version, count)


KERNELS = {"adam": adam, "sgd": sgd}
