"""The one context object of a thread: what surrounds the code that runs now, and who may read variables how.

It knows no variable and no layer; it only keeps what they put here.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from hornbeam.errors import ArgumentError


class Context(threading.local):
    """Per thread: everything that a call inherits from the calls around it.

    Attributes:
        trace: The innermost `Trace`, or None.
        autocast: The float dtype in which variables are read, or None for their own.
        training: What `training` the enclosing layer call runs with; None outside of calls and where unset.
        depth: How many layer calls enclose this code.
        path: The names of the enclosing layers and name scopes.
        entered: The innermost `name_scope`, and the path inside it.
        made: Weak references to the variables that are made, where somebody wants to know.
        reader: None when variables may be read directly; else the function that reads one.
        tapes: The gradient tapes that record in this thread, from the outermost to the innermost.
        on_host: Whether layers that run on the host give NumPy arrays, as an input pipeline wants them.
        remat: The innermost `RematScope`, or None.
        rematerializing: Whether a layer around this code computes again for the gradient.
    """

    trace: Trace | None = None
    autocast: str | None = None
    training: bool | None = None
    depth: int = 0
    path: tuple[str, ...] = ()
    entered: tuple[tuple[str, ...], name_scope] | None = None
    made: list[weakref.ref] | None = None
    reader: Callable[[Any], Any] | None = None
    tapes: tuple[Any, ...] = ()
    on_host: bool = False
    remat: Any = None
    rematerializing: bool = False


context = Context()


class Trace:
    """Stand-in values for variables, while a function runs as if it were a pure one.

    Reads find the stand-in first, then the enclosing trace, then the variable. Writes stay here. So a traced
    function changes nothing outside, and one that raises leaves nothing to restore.

    Args:
        pairs: Variables with the values that stand for them.

    Attributes:
        read: Variables that were read and had no stand-in yet, in order.
        written: Variables that were written, in order.
        losses: What layers added as losses, by layer.
    """

    __slots__ = ("values", "read", "written", "losses", "parent")

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = ()) -> None:
        self.values: dict[int, Any] = {id(variable): value for variable, value in pairs}
        self.read: dict[int, Any] = {}
        self.written: dict[int, Any] = {}
        self.losses: dict[int, tuple[Any, list[Any]]] = {}
        self.parent: Trace | None = None

    def get(self, variable: Any) -> Any:
        """The value that stands for `variable` here."""
        key = id(variable)
        if key in self.values:
            return self.values[key]
        self.read.setdefault(key, variable)
        return variable.stored if self.parent is None else self.parent.get(variable)

    def set(self, variable: Any, value: Any) -> None:
        """Makes `value` stand for `variable` from here on."""
        self.values[id(variable)] = value
        self.written[id(variable)] = variable

    def updates(self) -> list[tuple[Any, Any]]:
        """Each written variable with its last value."""
        return [(variable, self.values[key]) for key, variable in self.written.items()]

    def __enter__(self) -> Trace:
        self.parent, context.trace = context.trace, self
        _refresh()
        return self

    def __exit__(self, *_: Any) -> None:
        context.trace = self.parent
        _refresh()


def read(variable: Any) -> Any:
    """The value of a variable in its own dtype, as the code that asks should see it; tapes take notice."""
    trace = context.trace
    value = variable.stored if trace is None else trace.get(variable)
    for tape in context.tapes:
        value = tape.saw(variable, value)
    return value


def set_tapes(tapes: tuple[Any, ...]) -> None:
    """Says which tapes record from here on."""
    context.tapes = tapes
    _refresh()


def _read(variable: Any) -> Any:
    value = read(variable)
    if context.autocast is not None:
        return variable.autocasted(value, context.autocast)
    return value


def _refresh() -> None:
    direct = context.trace is None and context.autocast is None and not context.tapes
    context.reader = None if direct else _read


@contextmanager
def autocast(dtype: str | None) -> Iterator[None]:
    """Inside, float variables are read as `dtype`; None reads them as they are."""
    before, context.autocast = context.autocast, dtype
    _refresh()
    try:
        yield
    finally:
        context.autocast = before
        _refresh()


@contextmanager
def host_values() -> Iterator[None]:
    """Inside, layers that run on the host give NumPy arrays; the place for input pipelines to call them."""
    before, context.on_host = context.on_host, True
    try:
        yield
    finally:
        context.on_host = before


class name_scope:
    """Inside, new variables and layers have `name` in their path.

    Args:
        name: A name without "/".
        caller: The object that enters the scope.
        deduplicate: Whether a scope in a scope of the same name and caller adds nothing; without a caller it does.
        override_parent: A path to stand under in place of the scopes around.

    Raises:
        ValueError: If `name` is no string, or has a "/".

    >>> import hornbeam as keras
    >>> with keras.name_scope("block"):
    ...     keras.Variable(1.0, name="scale").path
    'block/scale'
    """

    def __init__(
        self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ArgumentError("a name without '/'", repr(name), "name_scope")
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        self._before: list[tuple[tuple[str, ...], Any]] = []

    def __enter__(self) -> name_scope:
        path, entered = context.path, context.entered
        self._before.append((path, entered))
        if self.override_parent is not None:
            path = tuple(self.override_parent.split("/")) if self.override_parent else ()
        elif self.deduplicate and self.caller is not None and entered is not None:
            where, around = entered
            if where is path and around.caller is self.caller and around.name == self.name:
                return self
        context.path = (*path, self.name) if path or self.name else ()
        context.entered = (context.path, self)
        return self

    def __exit__(self, *_: Any) -> None:
        context.path, context.entered = self._before.pop()


def own_scope(name: str) -> AbstractContextManager[Any]:
    """`name_scope` for the thing of this name, which its caller may have entered already."""
    return nullcontext(context.path) if context.path[-1:] == (name,) else name_scope(name)


# --- losses that layers add while they run ---------------------------------------------------------------------

_lossy: weakref.WeakSet[Any] = weakref.WeakSet()


def read_losses(layer: Any) -> list[Any]:
    """What `layer` added in the last forward pass."""
    trace = context.trace
    while trace is not None:
        if id(layer) in trace.losses:
            return trace.losses[id(layer)][1]
        trace = trace.parent
    return layer.__dict__.get("_added_losses") or []


def write_losses(layer: Any, losses: list[Any]) -> None:
    """Replaces what `layer` has added."""
    if context.trace is not None:
        context.trace.losses[id(layer)] = (layer, losses)
        return
    layer.__dict__["_added_losses"] = losses
    if losses:
        _lossy.add(layer)
    else:
        _lossy.discard(layer)


def layers_with_losses() -> list[Any]:
    """All layers that hold added losses, so that a forward pass need not search for them."""
    if context.trace is None:
        return list(_lossy) if _lossy else []
    found: dict[int, Any] = {}
    trace: Trace | None = context.trace
    while trace is not None:
        for key, (layer, losses) in trace.losses.items():
            found.setdefault(key, layer if losses else None)
        trace = trace.parent
    if _lossy:
        for layer in list(_lossy):
            found.setdefault(id(layer), layer)
    return [layer for layer in found.values() if layer is not None]


# --- masks travel beside tensors, since not every framework's tensors take attributes ------------------------------

_masks: dict[int, tuple[weakref.ref, Any]] = {}


def set_mask(tensor: Any, mask: Any) -> None:
    """Attaches a mask to a tensor for as long as the tensor lives; None removes it."""
    key = id(tensor)
    if mask is None:
        _masks.pop(key, None)
        return
    with suppress(TypeError):  # numbers and strings cannot carry a mask
        _masks[key] = (weakref.ref(tensor, lambda _, key=key: _masks.pop(key, None)), mask)


def get_mask(tensor: Any) -> Any | None:
    """The mask attached to a tensor, or None."""
    if not _masks:
        return None
    entry = _masks.get(id(tensor))
    return entry[1] if entry is not None and entry[0]() is tensor else None


# --- names ---------------------------------------------------------------------------------------------------------

_counts: defaultdict[str, int] = defaultdict(int)
_names_lock = threading.Lock()


def auto_name(prefix: str) -> str:
    """`prefix`, then `prefix_1`, `prefix_2`, ... within this process."""
    with _names_lock:
        count = _counts[prefix]
        _counts[prefix] += 1
    return prefix if count == 0 else f"{prefix}_{count}"


def get_uid(prefix: str = "") -> int:
    """A number that counts up from 1 for each prefix."""
    with _names_lock:
        _counts[prefix] += 1
        return _counts[prefix]


def reset_names() -> None:
    """Starts all automatic names anew."""
    with _names_lock:
        _counts.clear()


def to_snake_case(name: str) -> str:
    """`MaxPooling2D` -> `max_pooling2d`, `ReLU` -> `re_lu`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
