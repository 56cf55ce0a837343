"""`RematScope`: which layers compute their inner results again for the gradient; how a layer does it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from hornbeam.scope import context
from hornbeam.transforms import remat_where
from hornbeam.variable import Variable

MODES = ("full", "activations", "larger_than", "list_of_layers")


class RematScope:
    """Layers that are made inside compute inner results again for the gradient, instead of keeping them in memory.

    T. Chen et al., "Training deep nets with sublinear memory cost", 2016. A layer keeps to the innermost scope it was
    made in. A layer inside another that computes again does not do so a second time.

    It is meant for compiled steps. Run eagerly, each call of a layer is first followed without values, to find the
    variables it uses: a step of small layers takes three to four times as long.

    Args:
        mode: "full" for all layers; "activations" for activation functions alone; "larger_than" for layers whose
            outputs have more elements than `output_size_threshold`; "list_of_layers" for those named in
            `layer_names`; None for no layer.
        output_size_threshold: A number of elements, the batch included.
        layer_names: Names of layers.

    Raises:
        ValueError: For another mode, or a negative threshold.
        TypeError: If `layer_names` is not a list of names.

    >>> import hornbeam as keras
    >>> with keras.RematScope(mode="full"):
    ...     layer = keras.layers.Dense(4, activation="relu")
    >>> layer(keras.ops.ones((2, 3))).shape == (2, 4)
    True
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None
    ) -> None:
        if mode is not None and mode not in MODES:
            raise UnknownNameError("mode", mode, MODES, "RematScope")
        if isinstance(output_size_threshold, bool) or not isinstance(output_size_threshold, int):
            raise ArgumentTypeError("an integer output_size_threshold", repr(output_size_threshold), "RematScope")
        if output_size_threshold < 0:
            raise ArgumentError("an output_size_threshold from 0", repr(output_size_threshold), "RematScope")
        if isinstance(layer_names, str) or not all(isinstance(one, str) for one in layer_names or ()):
            raise ArgumentTypeError("a list of names of layers", repr(layer_names), "RematScope")
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = list(layer_names or ())
        self._before: list[Any] = []

    def __enter__(self) -> RematScope:
        self._before.append(context.remat)
        context.remat = self
        return self

    def __exit__(self, *_: Any) -> None:
        context.remat = self._before.pop()

    def wrapped(self, layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call of a layer that was made in this scope, computed again for the gradient where the mode says so."""
        if self.mode == "full" or (self.mode == "list_of_layers" and layer.name in self.layer_names):
            return again(call)
        if self.mode == "larger_than":
            return again(call, self.output_size_threshold)
        if self.mode == "activations":
            return _with_activation(layer, call)
        return call


def again(call: Callable[..., Any], larger_than: int | None = None) -> Callable[..., Any]:
    """`call` of a layer computed again for the gradient; only its tensors are arguments, the rest stays what it is.

    Args:
        call: The function.
        larger_than: If given, results of at most so many elements are kept as usual.
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        leaves, description = tree.flatten_and_structure((args, kwargs))
        places = [place for place, one in enumerate(leaves) if backend.is_array(one)]
        if context.rematerializing or not places:
            return call(*args, **kwargs)

        def pure(*tensors: Any) -> Any:
            filled = list(leaves)
            for place, one in zip(places, tensors, strict=True):
                filled[place] = one
            inner_args, inner_kwargs = tree.unflatten(description, filled)
            before, context.rematerializing = context.rematerializing, True
            try:
                return call(*inner_args, **inner_kwargs)
            finally:
                context.rematerializing = before

        def is_large(result: Any) -> bool:
            return larger_than is None or any(
                math.prod(one.shape) > larger_than for one in tree.flatten(result) if hasattr(one, "shape")
            )

        return remat_where(pure, is_large)(*[leaves[place] for place in places])

    return wrapped


def _with_activation(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    plain = layer.__dict__.get("activation")
    if not callable(plain) or isinstance(plain, Variable):
        return call
    computed_again = again(plain)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        # the attribute is what the layer calls; afterwards it is the user's again
        layer.__dict__["activation"] = computed_again
        try:
            return call(*args, **kwargs)
        finally:
            layer.__dict__["activation"] = plain

    return wrapped
