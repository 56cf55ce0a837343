"""The losses of masks, sequences and embeddings as objects, with weights and reduction; see their functions."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.losses import structured as functions
from hornbeam.losses.loss import LossFunctionWrapper

_MEAN = "sum_over_batch_size"


@wire("keras.losses.Dice")
class Dice(LossFunctionWrapper):
    """1 minus the share of two masks that overlaps.

    Args:
        reduction: As in `Loss`.
        name: As in `Loss`.
        axis: The axis or axes of one mask; None takes all elements as one.
        dtype: As in `Loss`.

    >>> round(float(Dice()([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])), 4)
    0.3333
    """

    def __init__(
        self, reduction: str | None = _MEAN, name: str | None = "dice", axis: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(functions.dice, reduction, name, dtype, axis=axis)


@wire("keras.losses.Tversky")
class Tversky(LossFunctionWrapper):
    """Like `Dice`, with weights of their own for what is missed and for what is too much.

    Args:
        alpha: The weight of what only `y_true` has.
        beta: The weight of what only `y_pred` has.
        reduction: As in `Loss`.
        name: As in `Loss`.
        axis: The axis or axes of one mask; None takes all elements as one.
        dtype: As in `Loss`.

    >>> round(float(Tversky(alpha=1.0)([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])), 4)
    0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = _MEAN,
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(functions.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


@wire("keras.losses.Circle")
class Circle(LossFunctionWrapper):
    """Draws embeddings of one class together and those of different classes apart.

    Args:
        gamma: The scale of the similarities.
        margin: How far similarities are to be from 1 and 0.
        remove_diagonal: Whether an embedding is not compared with itself.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.

    >>> float(Circle()([0, 1], [[1.0, 0.0], [0.0, 1.0]]))
    0.0
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = _MEAN,
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )


@wire("keras.losses.CTC")
class CTC(LossFunctionWrapper):
    """How unlikely a label sequence is, however it lies in time; class 0 is the blank and fills up labels.

    Args:
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.
    """

    def __init__(self, reduction: str | None = _MEAN, name: str | None = "ctc", dtype: Any = None) -> None:
        super().__init__(functions.ctc, reduction, name, dtype)
