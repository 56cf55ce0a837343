"""`Muon`: steps along the orthogonal matrix nearest to the momentum, for matrices; Adam for all other variables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.optimizers.clipping import wide
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.variable import Variable

xp = backend.xp


@wire("keras.optimizers.Muon")
class Muon(Optimizer):
    """K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; with the scaling of J. Liu et
    al., "Muon is scalable for LLM training", 2025.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        adam_beta_1: The weight of the past in Adam's estimate of the mean.
        adam_beta_2: The weight of the past in Adam's estimate of the mean square.
        adam_weight_decay: The weight decay of the variables that Adam updates.
        epsilon: What keeps Adam's division finite.
        weight_decay: The weight decay of the matrices; see `Optimizer`, as for the arguments that follow up to `name`.
        exclude_layers: Regular expressions; matrices in whose path one is found are updated by Adam.
        exclude_embeddings: Whether Adam updates matrices with "embedding" in their path.
        muon_a: The coefficient of X in the iteration X -> a X + b (X X') X + c (X X')(X X') X.
        muon_b: That of the cube.
        muon_c: That of the fifth power.
        adam_lr_ratio: The learning rate of Adam over that of the matrices.
        momentum: The weight of the past in the momentum.
        ns_steps: The number of iterations.
        nesterov: Whether the momentum looks one step ahead.
        rms_rate: The size of steps, so that it is like that of Adam; None leaves orthogonal matrices as they are.

    >>> import hornbeam as keras
    >>> v = keras.Variable([[1.0, 0.0], [0.0, 1.0]])
    >>> optimizer = keras.optimizers.Muon(0.1, weight_decay=None)
    >>> optimizer.apply([keras.ops.ones((2, 2))], [v])
    >>> bool(v[0, 1] < 0)
    True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: str | Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _make_slots(self, variables: list[Variable]) -> None:
        self._slots = {"momentum": [], "velocity": []}
        for one in variables:
            wanted = () if one.overwrite_with_gradient else self._slots if self._by_adam(one) else ("momentum",)
            for name, found in self._slots.items():
                found.append(self.add_variable_from_reference(one, name) if name in wanted else None)

    def _by_adam(self, variable: Variable) -> bool:
        patterns = [self.exclude_layers] if isinstance(self.exclude_layers, str) else self.exclude_layers
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in variable.path.lower())
            or any(re.search(one, variable.path) for one in patterns)
        )

    def _decay(self, variable: Variable, rate: Any) -> None:
        decay = self.adam_weight_decay if self._by_adam(variable) else self.weight_decay
        if decay is not None and self._use_weight_decay(variable):
            value = wide(variable.value)
            variable.assign(value - value * decay * rate)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """The step for one variable, by Adam or by the orthogonal momentum."""
        if self._by_adam(variable):
            self._adam_step(gradient, variable, learning_rate * self.adam_lr_ratio)
            return
        m = self.slot("momentum", variable)
        momentum = gradient + self.momentum * wide(m.value)
        m.assign(momentum)
        if self.nesterov:
            momentum = gradient + self.momentum * momentum
        change = self.lr_adjust(self.zeropower_via_newtonschulz5(momentum, self.ns_steps))
        variable.assign(variable.value - learning_rate * change)

    def _adam_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        step = backend.cast(self._count() + 1, "float32")
        rate = learning_rate * xp.sqrt(1 - self.adam_beta_2**step) / (1 - self.adam_beta_1**step)
        m, v = self.slot("momentum", variable), self.slot("velocity", variable)
        mean = m.value + (gradient - m.value) * (1 - self.adam_beta_1)
        square = v.value + (xp.square(gradient) - v.value) * (1 - self.adam_beta_2)
        m.assign(mean)
        v.assign(square)
        variable.assign(variable.value - rate * mean / (xp.sqrt(square) + self.epsilon))

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """The orthogonal matrix nearest to a matrix, roughly: all singular values move close to 1.

        Args:
            x: A float tensor [..., rows, columns].
            steps: The number of Newton-Schulz iterations.
        """
        x = x if backend.is_array(x) else backend.asarray(x)
        tall = x.shape[-2] > x.shape[-1]
        x = self.transpose_last_axis(x) if tall else x
        x = x / (xp.sqrt(xp.sum(xp.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)
        for _ in range(steps):
            square = x @ self.transpose_last_axis(x)
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return self.transpose_last_axis(x) if tall else x

    def transpose_last_axis(self, x: Any) -> Any:
        """A tensor with its last two axes exchanged."""
        return xp.swapaxes(x, -1, -2)

    def lr_adjust(self, x: Any) -> Any:
        """An orthogonal step, scaled so that its root mean square is `rms_rate`."""
        return x if self.rms_rate is None else x * (self.rms_rate * max(x.shape[-2:]) ** 0.5)
