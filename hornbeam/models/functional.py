"""`Functional`, the class of what `Model(inputs, outputs)` makes."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.models.model import Model


@wire("keras.src.models.functional.Functional", "keras.models.Functional", "keras.Functional")
class Functional(Model):
    """A model made from a graph of symbolic tensors; made by `Model(inputs, outputs)`."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)


# `Model` cannot import its own subclass
Model._functional_class = Functional
