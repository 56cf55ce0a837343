"""Functions followed without data, and functions compiled as a whole.

A pure function of trees of tensors is followed once with fake tensors, into a graph of torch's operations with its
gradients and updates, which torch.compile turns into one program.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch._subclasses import fake_tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing, get_proxy_mode, make_fx
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode
from torch.utils._python_dispatch import _get_current_dispatch_mode

from hornbeam import tree
from hornbeam.backend.base import Struct
from hornbeam.backend.torch.native import dtype_of, following, name_of
from hornbeam.backend.torch.place import here
from hornbeam.errors import warn

# what torch raises where the way through a function hangs on values
_BY_VALUES = (
    fake_tensor.DynamicOutputShapeException, fake_tensor.DataDependentOutputException,
    fake_tensor.UnsupportedOperatorException, GuardOnDataDependentSymNode,
)


def is_traced(value: Any) -> bool:
    """Whether a tensor stands for values that come later."""
    return isinstance(value, FakeTensor) or torch.compiler.is_compiling()


class _RealValues:
    """Inside it, computation gives true values even while a function is being followed."""

    def __enter__(self) -> None:
        self._contexts = [unset_fake_temporarily()]
        if get_proxy_mode() is not None:
            self._contexts.append(disable_proxy_modes_tracing())
        for one in self._contexts:
            one.__enter__()

    def __exit__(self, *error: Any) -> None:
        for one in reversed(self._contexts):
            one.__exit__(*error)


def real_values() -> AbstractContextManager:
    """A scope in which tensors are real."""
    if torch.compiler.is_compiling():  # torch's own compiler follows us: nothing is fake to it
        return nullcontext()
    return nullcontext() if _get_current_dispatch_mode() is None else _RealValues()


# --- without data ------------------------------------------------------------------------------------------------


def probe(function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
    """Calls `function` on fake tensors for the `Struct`s among the leaves; tensors come back as `Struct`s."""
    with torch.no_grad():
        try:
            with FakeTensorMode(allow_non_fake_inputs=True):
                return _called(function, leaves, description)
        except _BY_VALUES:
            # The result hangs on values, or a kernel cannot do without: zeros stand for them, as on NumPy.
            return _called(function, leaves, description)


def _called(function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
    device = here()
    filled = [  # the shapes are complete: the interface says so
        torch.zeros(cast("Any", one.shape), dtype=dtype_of(one.dtype), device=device)
        if isinstance(one, Struct)
        else one
        for one in leaves
    ]
    args, kwargs = tree.unflatten(description, filled)
    result = function(*args, **kwargs)
    return tree.map_structure(
        lambda one: Struct(tuple(one.shape), name_of(one.dtype)) if isinstance(one, torch.Tensor) else one, result
    )


# --- whole programs ----------------------------------------------------------------------------------------------


def compiler() -> str:
    """What turns graphs into programs: a backend of torch.compile, "inductor" unless the environment names another."""
    return os.environ.get("HORNBEAM_TORCH_COMPILER", "inductor")


def compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """A pure function of trees of tensors and numbers, compiled once for each structure and each shape."""
    programs: dict[Any, Callable[..., Any]] = {}

    def run(*args: Any) -> Any:
        leaves, description = tree.flatten_and_structure(args)
        if any(is_traced(one) for one in leaves):
            return function(*args)
        key = (description, tuple(_kind(one) for one in leaves))
        found = programs.get(key)
        if found is None:
            found = programs[key] = _program(function, leaves, description)
        return found(leaves)

    return run


def _kind(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.dtype, value.device
    return type(value), value


def _program(function: Callable[..., Any], leaves: list[Any], description: Any) -> Callable[..., Any]:
    places = [place for place, one in enumerate(leaves) if isinstance(one, torch.Tensor)]
    kept: list[Any] = []

    def flat(*tensors: Any) -> list[torch.Tensor]:
        filled = list(leaves)
        for place, one in zip(places, tensors, strict=True):
            filled[place] = one
        outputs, out_description = tree.flatten_and_structure(function(*tree.unflatten(description, filled)))
        kept[:] = [out_description, [None if isinstance(one, torch.Tensor) else (one,) for one in outputs]]
        return [one for one in outputs if isinstance(one, torch.Tensor)]

    example = [leaves[place].detach() for place in places]
    following.depth += 1
    try:
        with torch.no_grad():
            graph = make_fx(flat, tracing_mode="fake", _allow_non_fake_inputs=True)(*example)
    except _BY_VALUES as problem:
        _warn("torch cannot follow this function, which goes by values", problem)
        return lambda values: function(*tree.unflatten(description, values))
    finally:
        following.depth -= 1
    graph.graph.eliminate_dead_code()
    graph.recompile()
    compiled = _compiled(graph, example)

    def run(values: list[Any]) -> Any:
        with torch.no_grad():
            outputs = iter(compiled(*[values[place].detach() for place in places]))
        out_description, fixed = kept
        return tree.unflatten(out_description, [next(outputs) if one is None else one[0] for one in fixed])

    return run


def _compiled(graph: torch.fx.GraphModule, example: list[torch.Tensor]) -> Callable[..., Any]:
    name = compiler()
    if name == "none":  # the graph as it is, step by step
        return graph
    try:
        found = torch.compile(graph, backend=name, dynamic=False, fullgraph=True)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of torch's own modules about each other
            found(*example)  # compiles
    except Exception as problem:  # noqa: BLE001 - whatever the compiler lacks, from a C++ compiler to a kernel
        _warn("torch.compile could not compile this function", problem)
        return graph
    return found


def _warn(what: str, problem: Exception) -> None:
    reason = str(problem).strip().split("\n")[0]
    warn(f"{what}; it runs step by step instead, at eager speed. {type(problem).__name__}: {reason}")
