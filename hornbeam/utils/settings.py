"""`Config`: values under names, as attributes and as items, that can be frozen."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from hornbeam.errors import ArgumentError, UnknownAttributeError, nearest

_OWN = ("_config", "_frozen")


class Config:
    """Values under names, read and set as attributes or as items, that can be frozen against changes.

    Args:
        **kwargs: The first values.

    >>> config = Config(units=32, rate=0.1)
    >>> config.units = 64
    >>> config["rate"]
    0.1
    >>> config
    <Config {'units': 64, 'rate': 0.1}>
    """

    def __init__(self, **kwargs: Any) -> None:
        self._config = dict(kwargs)
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether changes are refused."""
        return self._frozen

    def freeze(self) -> None:
        """Refuses changes from now on."""
        self._frozen = True

    def unfreeze(self) -> None:
        """Allows changes again."""
        self._frozen = False

    def as_dict(self) -> dict[str, Any]:
        """The values in a new dict."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON.

        Raises:
            TypeError: If JSON has no form for a value.
        """
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """The names with the values."""
        return self._config.items()

    def get(self, *args: Any) -> Any:
        """The value of a name, or the second argument, None by default."""
        return self._config.get(*args)

    def pop(self, *args: Any) -> Any:
        """Takes a value out; the second argument stands for one that is not there."""
        self._refuse_if_frozen()
        return self._config.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets values, given like those of `dict.update`."""
        self._refuse_if_frozen()
        self._config.update(*args, **kwargs)

    def _refuse_if_frozen(self) -> None:
        if self._frozen:
            raise ArgumentError("no change to a frozen Config", "one", "Config", "Call unfreeze() first.")

    def __getattr__(self, name: str) -> Any:
        if name in _OWN or name.startswith("__"):  # copy and pickle ask before there is anything
            raise AttributeError(name)
        try:
            return self._config[name]
        except KeyError:
            raise UnknownAttributeError(
                "the name of a value", repr(name), "Config", nearest(name, self._config)
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN or hasattr(type(self), name):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._refuse_if_frozen()
        self._config[key] = value

    def __delitem__(self, key: str) -> None:
        self._refuse_if_frozen()
        del self._config[key]

    def __contains__(self, key: object) -> bool:
        return key in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
