"""Gradients on torch: of functions of tensors, by hand-written rules, and with inner results computed again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from hornbeam import tree

try:  # torch's own, which other versions may have elsewhere
    from torch.autograd.graph import _engine_run_backward
except ImportError:
    _engine_run_backward = None


class _Depth(threading.local):
    """How many gradients are being taken around the present code."""

    value = 0


_depth = _Depth()


def no_gradients() -> AbstractContextManager:
    """Nothing is recorded for gradients, unless somebody takes one of what happens inside."""
    return nullcontext() if _depth.value else torch.no_grad()


def value_and_grad(function: Callable, arguments: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    """`function(*arguments) -> (scalar, aux)`: the scalar, aux, and the gradient for each argument."""
    nested = _depth.value > 0
    _depth.value += 1
    try:
        with torch.enable_grad():
            inputs = [one if one.requires_grad and not nested else _input(one, nested) for one in arguments]
            value, aux = function(*inputs)
            gradients = _gradients(value, inputs, nested)
    finally:
        _depth.value -= 1
    if nested:
        return value, aux, gradients
    # whoever looks at these later must not keep the whole graph alive
    return value.detach(), _detached(aux), gradients


def _gradients(value: torch.Tensor, inputs: list[torch.Tensor], nested: bool) -> list[torch.Tensor]:
    wanted = [one for one in inputs if one.requires_grad]
    found: Sequence[Any] = ()
    if value.requires_grad and wanted:
        if nested or type(value) is not torch.Tensor or _engine_run_backward is None:
            found = torch.autograd.grad(value, wanted, create_graph=nested, allow_unused=True)
        else:  # what that function comes to for a plain scalar: it takes a twentieth of a small step to find out
            found = _engine_run_backward(
                (value,), (torch.ones_like(value),), False, False, tuple(wanted), True, accumulate_grad=False
            )
    if len(wanted) == len(inputs) and found:  # mostly
        return [torch.zeros_like(own) if one is None else one for one, own in zip(found, inputs, strict=True)]
    rest = iter(found)
    gradients = [next(rest, None) if one.requires_grad else None for one in inputs]
    return [torch.zeros_like(own) if one is None else one for one, own in zip(gradients, inputs, strict=True)]


def _input(value: torch.Tensor, nested: bool) -> torch.Tensor:
    """What stands for an argument: itself if possible, so that nothing is copied and users see their parameters."""
    if not value.requires_grad:
        if value.is_floating_point() or value.is_complex():
            return value.detach().requires_grad_()
        return value
    # within another gradient the same tensor may come in from outside too, and must count as another one then
    return value.view_as(value) if nested else value


def _detached(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach() if value.requires_grad else value
    if type(value) in (list, tuple):
        return type(value)(_detached(one) for one in value)
    return tree.map_structure(_detached_leaf, value) if isinstance(value, (list, tuple, dict)) else value


def _detached_leaf(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) and value.requires_grad else value


class _Custom(torch.autograd.Function):
    """A function with a gradient of its own."""

    @staticmethod
    def forward(ctx: Any, function: Callable, description: Any, kept: list[Any], *tensors: Any) -> Any:
        args, kwargs = tree.unflatten(description, _refilled(kept, tensors))
        value, backward = function(*args, **kwargs)
        outputs, out_description = tree.flatten_and_structure(value)
        ctx.save_for_backward(*tensors)
        ctx.function, ctx.description, ctx.kept, ctx.backward = function, description, kept, backward
        ctx.out_description = out_description
        kept.append(out_description)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        backward = ctx.backward
        if torch.is_grad_enabled():  # a gradient of this gradient: the rule must depend on the inputs
            args, kwargs = tree.unflatten(ctx.description, _refilled(ctx.kept[:-1], ctx.saved_tensors))
            _, backward = ctx.function(*args, **kwargs)
        found = backward(tree.unflatten(ctx.out_description, list(upstream)))
        gradients = list(found) if isinstance(found, (list, tuple)) else [found]
        gradients += [None] * (len(ctx.saved_tensors) - len(gradients))
        return (None, None, None, *gradients[: len(ctx.saved_tensors)])


def _refilled(kept: list[Any], tensors: Sequence[Any]) -> list[Any]:
    rest = iter(tensors)
    return [next(rest) if one is None else one[0] for one in kept]


def custom_gradient(function: Callable) -> Callable:
    """`function(*args) -> (value, backward)` as a function whose gradient is `backward(upstream)`."""

    def apply(*args: Any, **kwargs: Any) -> Any:
        leaves, description = tree.flatten_and_structure((args, kwargs))
        kept: list[Any] = [None if isinstance(one, torch.Tensor) else (one,) for one in leaves]
        tensors = [one for one in leaves if isinstance(one, torch.Tensor)]
        if not (torch.is_grad_enabled() and any(one.requires_grad for one in tensors)):
            return function(*args, **kwargs)[0]
        outputs = _Custom.apply(function, description, kept, *tensors)
        return tree.unflatten(kept[-1], list(outputs))

    return apply


def remat(function: Callable) -> Callable:
    """`function`, whose inner results are computed again for the gradient instead of kept."""
    return lambda *args: checkpoint(function, *args, use_reentrant=False)
