"""What an object was made with: the one mechanism by which a `get_config` follows from the arguments of `__init__`."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any, Self


class Recorded:
    """Base of objects that remember the arguments they were made with, users' subclasses included."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self.__dict__["_init_arguments"] = (args, kwargs)
        return self

    def _given_arguments(self, without: Collection[str] = (), unless_named: Collection[str] = ()) -> dict[str, Any]:
        """The arguments of `__init__` by name, defaults included, as they were given.

        Args:
            without: Names that are left out.
            unless_named: Names that are left out where they went to `**kwargs`.
        """
        args, kwargs = self.__dict__["_init_arguments"]
        signature = inspect.signature(type(self).__init__)
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:  # an `__init__` that is not told all that the object was made with
            return {name: value for name, value in kwargs.items() if name not in without}
        bound.apply_defaults()
        result: dict[str, Any] = {}
        for name, parameter in list(signature.parameters.items())[1:]:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                result.update({one: value for one, value in bound.arguments[name].items() if one not in unless_named})
            elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
                result[name] = bound.arguments[name]
        return {name: value for name, value in result.items() if name not in without}

    def _settled_arguments(self, without: Collection[str] = ()) -> dict[str, Any]:
        """The same; those that the object keeps as attributes of their names are taken from there, where they have
        their final form.
        """
        return {name: getattr(self, name, value) for name, value in self._given_arguments(without).items()}


class KeepsArguments:
    """Base of small objects that keep each argument as the attribute of its name, and need no record.

    The config of a user's subclass is that of our class, as in Keras, unless it writes its own.
    """

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal object."""
        ours = next(one for one in type(self).__mro__ if one.__module__.startswith(_PACKAGE))
        return {name: getattr(self, name) for name in list(inspect.signature(ours.__init__).parameters)[1:]}


_PACKAGE = __name__.partition(".")[0] + "."
