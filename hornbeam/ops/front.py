"""What may stand in front of an op's body: settled arguments and the form of its nodes in files.

For the few ops whose arguments need checking or completing before any backend's kernel sees them, and whose nodes
differ in files from what the signature says. Knows no op.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from hornbeam.backend import active as backend
from hornbeam.ops.define import as_float

_Function = TypeVar("_Function", bound=Callable[..., Any])


def prepared(prepare: Callable[..., tuple]) -> Callable[[_Function], _Function]:
    """Puts `prepare` before the op's body, whichever backend supplies that body.

    So validation and defaults are written once, and a kernel is called with complete arguments only.

    Args:
        prepare: Takes the op's arguments, defaults included; returns the positional arguments for the body.

    Returns:
        A decorator that stands above `@op`.
    """

    def decorate(apply: _Function) -> _Function:
        definition = apply.definition
        body, plain = definition.body, definition.plain
        definition.body = lambda *args, **kwargs: body(*prepare(*args, **kwargs))
        definition.plain = lambda *args, **kwargs: plain(*prepare(*args, **kwargs))
        return apply

    return decorate


def settled(**rules: Callable[[Any], Any]) -> Callable[[_Function], _Function]:
    """Makes the op's nodes carry configuration in its final form, where Keras writes it so into files.

    Args:
        **rules: For each argument, a function from the value given to the value that the node keeps; such as
            one that replaces None by the default image layout of the moment.

    Returns:
        A decorator that stands above `@op`.
    """

    def decorate(apply: _Function) -> _Function:
        operation_class = apply.definition.operation_class
        plain = operation_class.__init__

        def initialize(self: Any, name: str | None = None, **config: Any) -> None:
            for argument, rule in rules.items():
                config[argument] = rule(config.get(argument))
            plain(self, name, **config)

        operation_class.__init__ = initialize
        return apply

    return decorate


def positional(apply: _Function) -> _Function:
    """Lets nodes in files give all tensors by position, though configuration stands between them in the signature.

    Stands above `@op`.
    """
    definition = apply.definition
    names = definition.tensors

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return definition.eager(**dict(zip(names, args, strict=False)), **kwargs, **self.config)

    def compute_output_spec(self: Any, *args: Any, **kwargs: Any) -> Any:
        return plain_spec(self, **dict(zip(names, args, strict=False)), **kwargs)

    plain_spec = definition.operation_class.compute_output_spec
    definition.operation_class.call = call
    definition.operation_class.compute_output_spec = compute_output_spec
    return apply


def in_float(function: _Function) -> _Function:
    """Makes the first tensor of a body a float one, and the result of its dtype; stands below `@op`.

    NumPy knows no bfloat16 of its own: a number beside such a tensor widens it, which this takes back.
    """

    @functools.wraps(function)
    def body(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = as_float(x)
        result = function(x, *args, **kwargs)
        return result if result.dtype == x.dtype else backend.cast(result, backend.dtype(x))

    return body  # type: ignore[return-value]
