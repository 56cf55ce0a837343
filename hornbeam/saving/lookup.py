"""The one mechanism behind every public `get`, `serialize` and `deserialize`: activations, losses, optimizers, ..."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hornbeam import _wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.saving import registration
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object
from hornbeam.scope import to_snake_case


class RegistryFunctions(NamedTuple):
    """The three functions of one kind of object; unpacks in this order."""

    get: Callable[..., Any]
    serialize: Callable[..., Any]
    deserialize: Callable[..., Any]


class _Kind:
    """What is known of one kind of object; see `make_registry_functions` for the arguments."""

    def __init__(
        self, kind: str, module: str, aliases: Mapping[str, Any] | Callable[[], Mapping[str, Any]], none: Any,
        instantiate: bool, prefer: str, any_case: bool, bare_names: bool,
    ) -> None:
        self.kind, self.module, self.none = kind, module, none
        self.aliases = aliases
        self.instantiate, self.prefer, self.any_case, self.bare_names = instantiate, prefer, any_case, bare_names
        self._table: dict[str, Any] = {}
        self._size = -1

    def table(self) -> dict[str, Any]:
        """All strings that name something of this kind."""
        declared = registration.members(self.module)
        if len(declared) != self._size:  # members may come with modules imported later
            classes = {name: one for name, one in declared.items() if inspect.isclass(one)}
            functions = {name: one for name, one in declared.items() if not inspect.isclass(one)}
            snake = {to_snake_case(name): one for name, one in classes.items()}
            aliases = dict(self.aliases() if callable(self.aliases) else self.aliases)
            layers = [functions, snake, classes] if self.prefer == "class" else [snake, classes, functions]
            merged: dict[str, Any] = {}
            for layer in (*layers, aliases):
                merged.update(layer)
            if self.any_case:
                merged = {name.lower(): one for name, one in merged.items()} | merged
            self._table, self._size = merged, len(declared)
        return self._table

    def find(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any | None:
        """The member or custom object with this name, or None."""
        found = self._declared(name)
        if found is None:  # it may be one that loads on first touch
            registration.load_named(self.module, name)
            found = self._declared(name)
        if found is None:
            found = registration.get_registered_object(name, custom_objects)
        if found is None:
            registration.load_fully(self.module)
            found = self._declared(name)
        return found

    def _declared(self, name: str) -> Any | None:
        table = self.table()
        found = table.get(name)
        return table.get(name.lower()) if found is None and self.any_case else found

    def named(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The member or custom object with this name; a class gives a new object where that is wanted."""
        found = self.find(name, custom_objects)
        if found is None:
            known = [one for one in self.table() if self.find(one) is not None]
            raise UnknownNameError(self.kind, name, known, f"{self.module}.get")
        return self.ready(found)

    def ready(self, found: Any) -> Any:
        """`found`, or an object of it if it is a class and objects are wanted."""
        if not (inspect.isclass(found) and self.instantiate):
            return found
        try:
            return found()
        except TypeError as problem:
            raise ArgumentTypeError(
                f"{_article(self.kind)} that can be made without arguments",
                f"the name of {found.__name__} ({problem})", f"{self.module}.get",
                f"Pass an object instead: {found.__name__}(...).",
            ) from problem


def make_registry_functions(
    kind: str,
    module: str,
    *,
    aliases: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = MappingProxyType({}),
    none: Any = None,
    instantiate: bool = True,
    prefer: str = "class",
    any_case: bool = False,
    bare_names: bool = False,
    first_of_deserialize: str = "config",
) -> RegistryFunctions:
    """Makes the public `get`, `serialize` and `deserialize` of one kind of object.

    Args:
        kind: One member in words, such as "loss"; it appears in errors.
        module: The namespace in which the members are declared with `wire`, such as ``"keras.losses"``.
        aliases: Further names with the members they stand for, or a function that gives them.
        none: What `get(None)` returns.
        instantiate: Whether `get` of a class, or of a class's name, makes an object of it.
        prefer: What a name means that a class (in snake case) and a function share: "class" or "function".
        any_case: Whether names are matched without regard to case.
        bare_names: Whether a member function is serialized as its name alone.
        first_of_deserialize: The name of the first parameter of `deserialize`.

    Returns:
        Three functions: `get(identifier)`, `serialize(obj)`, `deserialize(config, custom_objects=None)`.

    `get` takes None, a name in CamelCase or snake_case, a config, a class, an object or a callable. Names of
    the user's registered objects do as well.
    """
    own = _Kind(kind, module, aliases, none, instantiate, prefer, any_case, bare_names)
    place = module.removeprefix("keras.")

    def get(identifier: Any) -> Any:
        if identifier is None:
            return own.none
        if isinstance(identifier, str):
            return own.named(identifier)
        if isinstance(identifier, Mapping):
            return deserialize(identifier)
        if inspect.isclass(identifier):
            return own.ready(identifier)
        if callable(identifier) or hasattr(identifier, "get_config"):
            return identifier
        raise ArgumentError(
            f"{_article(kind)}, its name or its config", describe(identifier), f"{module}.get",
        )

    def serialize(obj: Any) -> Any:
        if own.bare_names and not inspect.isclass(obj) and not hasattr(obj, "get_config"):
            wired = _wire.name_of(obj)
            if wired is not None and wired.startswith(module + "."):
                return wired.rpartition(".")[2]
        return serialize_keras_object(obj)

    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        if config is None:
            return None
        if isinstance(config, str):
            return own.named(config, custom_objects)
        if not isinstance(config, Mapping):
            if callable(config) or hasattr(config, "get_config"):
                return config  # it is one already
            raise ArgumentTypeError(f"the config of {_article(kind)}", describe(config), f"{module}.deserialize")
        name = config.get("class_name")
        if not config.get("module") and isinstance(name, str) and not name.startswith("__"):
            found = own.find(name, custom_objects)
            if found is not None and not inspect.isclass(found):
                return found
            wired = _wire.name_of(found) if found is not None else None
            if wired is not None:  # older programs give no module, and names in any form
                above, _, short = wired.rpartition(".")
                config = {"config": {}, **config, "module": above, "class_name": short}
        made = deserialize_keras_object(config, custom_objects)
        if isinstance(made, Mapping):
            raise ArgumentError(
                f"the config of {_article(kind)} with 'class_name' and 'config'",
                f"the keys {sorted(map(str, config))}", f"{module}.deserialize",
            )
        return made

    get.__doc__ = f"""{_article(kind).capitalize()} from its name, config, class or itself.

    Args:
        identifier: A name in CamelCase or snake_case, what `serialize` gave, a class, {_article(kind)} or None.

    Returns:
        The {kind}.

    Raises:
        ValueError: For unknown names; the text lists the nearest known ones.
    """
    serialize.__doc__ = f"""{_article(kind).capitalize()} as a value that JSON can hold and `deserialize` takes."""
    deserialize.__doc__ = f"""The {kind} that a value of `serialize` describes.

    Args:
        config: The value, or a name.
        custom_objects: Classes and functions of the user, by name.
    """
    serialize = _with_first(serialize, kind.replace(" ", "_"))
    deserialize = _with_first(deserialize, first_of_deserialize)
    for one in (get, serialize, deserialize):
        one.__module__ = f"hornbeam.{place}"
        one.__qualname__ = one.__name__
    return RegistryFunctions(get, serialize, deserialize)


def _with_first(function: Callable, name: str) -> Callable:
    """The function with this name for its first parameter, as the namespace has it in Keras."""
    signature = inspect.signature(function)
    first, *rest = signature.parameters.values()
    if first.name == name:
        return function

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        if not args and name in kwargs:
            args = (kwargs.pop(name),)
        return function(*args, **kwargs)

    renamed.__signature__ = signature.replace(parameters=[first.replace(name=name), *rest])
    return renamed


def _article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun
