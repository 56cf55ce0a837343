"""`AdamW`: Adam with weight decay apart from the gradient."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.optimizers.adam import Adam


@wire("keras.optimizers.AdamW")
class AdamW(Adam):
    """I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2017; see `Adam` for the arguments.

    >>> import hornbeam as keras
    >>> v = keras.Variable([1.0])
    >>> keras.optimizers.AdamW(0.1, weight_decay=0.5).apply([keras.ops.ones(1)], [v])
    >>> round(float(v[0]), 3)
    0.85
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm,
            use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name,
            **kwargs,
        )
        if weight_decay is None:
            raise ArgumentError("a number", "weight_decay=None", self._where(), "Use Adam for none.")
