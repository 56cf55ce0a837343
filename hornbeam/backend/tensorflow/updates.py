"""Updates of variables by TensorFlow's own kernels, for the optimizers whose arithmetic they have."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.backend.tensorflow.framework import tf
from hornbeam.backend.tensorflow.replicas import copies, own


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
        epsilon: What keeps the division finite.
    """
    rate = _decayed(rate, decaying, decay)
    dtype = handles[0].dtype
    step = tf.cast(rate * _correction(iterations, beta_1, beta_2, dtype), dtype)
    none, *numbers = (tf.constant(one, dtype) for one in (0.0, beta_1, beta_2, epsilon))
    rows = zip(handles, means, squares, *([largest] if largest else []), strict=True)
    for row, gradient in zip(rows, gradients, strict=True):
        for variable, mean, square, *top in copies(*row):
            arguments = {
                "var": variable.handle, "m": mean.handle, "v": square.handle, "beta1_power": none,
                "beta2_power": none, "lr": step, "beta1": numbers[0], "beta2": numbers[1], "epsilon": numbers[2],
                "grad": gradient,
            }
            if top:
                tf.raw_ops.ResourceApplyAdamWithAmsgrad(vhat=top[0].handle, **arguments)
            else:
                tf.raw_ops.ResourceApplyAdam(**arguments)
    own(iterations).assign_add(1, read_value=False)


def _correction(iterations: Any, beta_1: float, beta_2: float, dtype: Any) -> Any:
    """What corrects the start of both means, for all variables; in single precision, as in the plain form.

    The kernel takes the betas rounded, by which `1 - beta_2` is off by up to 3e-5. What this does to the means is
    taken out again.
    """
    count = tf.cast(iterations + 1, tf.float32)
    plain = tf.sqrt(1 - beta_2**count) / (1 - beta_1**count)
    first, second = (float(np.asarray(one, dtype.as_numpy_dtype)) for one in (beta_1, beta_2))
    if (first, second) == (beta_1, beta_2):
        return plain
    exact = tf.cast(iterations + 1, tf.float64)
    off_1, off_2 = ((1 - one**exact) / (1 - true**exact) for one, true in ((first, beta_1), (second, beta_2)))
    return plain * tf.cast(tf.sqrt(off_2) / off_1, tf.float32)


def sgd(
    handles: list[Any], gradients: list[Any], velocities: list[Any], rate: Any, iterations: Any, decaying: list[Any],
    decay: float | None, momentum: float, nesterov: bool,
) -> None:
    """One step of gradient descent; the velocity holds `momentum * velocity - rate * gradient`."""
    rate = tf.cast(_decayed(rate, decaying, decay), handles[0].dtype)
    for row, gradient in zip(zip(handles, velocities) if velocities else zip(handles), gradients, strict=True):
        for variable, *velocity in copies(*row):
            if velocity:
                tf.raw_ops.ResourceApplyKerasMomentum(
                    var=variable.handle, accum=velocity[0].handle, lr=rate, grad=gradient,
                    momentum=tf.constant(momentum, variable.dtype), use_nesterov=nesterov,
                )
            else:
                tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)
    own(iterations).assign_add(1, read_value=False)


def _decayed(rate: Any, decaying: list[Any], decay: float | None) -> Any:
    """Lets weights decay; the learning rate as a tensor."""
    rate = tf.convert_to_tensor(rate)
    if decay:
        for one in decaying:
            own(one).assign_sub(one * tf.cast(decay * rate, one.dtype), read_value=False)
    return rate


KERNELS = {"adam": adam, "sgd": sgd}
