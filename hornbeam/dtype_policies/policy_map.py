"""A policy per layer path, for models whose parts work in different dtypes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from hornbeam._wire import wire
from hornbeam.dtype_policies.identify import get, serialize
from hornbeam.dtype_policies.policy import DTypePolicy
from hornbeam.dtype_policies.quantized import QuantizedDTypePolicy
from hornbeam.errors import ArgumentError, ArgumentTypeError, HornbeamError, nearest


class UnknownPathError(HornbeamError, KeyError):
    """A path that the map has no policy for."""


@wire("keras.dtype_policies.DTypePolicyMap")
class DTypePolicyMap(DTypePolicy):
    """Policies by layer path; paths without one take the default.

    A key is a path, or a regular expression that has to match a whole path. Given to a layer, the map acts as
    its default policy.

    Args:
        default_policy: A policy or its name for all other paths; None is the global policy.
        policy_map: A dict of paths and policies to start with.

    Raises:
        TypeError: If `policy_map` is no dict.
        ValueError: If a key is set twice, or if two patterns match the path that is looked up.

    >>> policies = DTypePolicyMap("float32", {"block/.*": DTypePolicy("mixed_bfloat16")})
    >>> policies["block/dense"].name, policies["head"].name
    ('mixed_bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ArgumentError("a default policy that is no map itself", repr(default_policy), "DTypePolicyMap")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise ArgumentTypeError("a dict as policy_map", f"{policy_map!r}", "DTypePolicyMap")
        self._given = default_policy
        self._default_policy = get(default_policy)
        self._policies: dict[str, DTypePolicy] = {}
        for path, policy in (policy_map or {}).items():
            self[path] = policy

    @property
    def name(self) -> str:
        return f"map_{self._default_policy.name}"

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that have none."""
        return self._default_policy

    @property
    def compute_dtype(self) -> str:
        return self._default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        return self._default_policy.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        matching = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ArgumentError(f"one pattern that matches {key!r}", str(matching), "DTypePolicyMap")
        return self._policies[matching[0]] if matching else self._default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ArgumentError(
                "a path that is not in the map yet", f"{key!r}, which has {self._policies[key]!r}", "DTypePolicyMap",
                "Delete the old entry first.",
            )
        if policy is None:
            raise ArgumentError("a policy", "None", f"DTypePolicyMap[{key!r}]")
        self._policies[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        if key not in self._policies:
            raise UnknownPathError("a path of the map", repr(key), "DTypePolicyMap", nearest(key, self._policies))
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    # It behaves like a dict, but is none: code that walks through dicts has to leave it whole.
    keys, values, items = MutableMapping.keys, MutableMapping.values, MutableMapping.items
    pop, update, clear = MutableMapping.pop, MutableMapping.update, MutableMapping.clear

    def __bool__(self) -> bool:
        return True  # an empty map is still a policy

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, DTypePolicyMap)
            and self._default_policy == other._default_policy
            and self._policies == other._policies
        )

    __hash__ = None  # type: ignore[assignment]  # it can change

    def get_config(self) -> dict[str, Any]:
        default: Any = self._given
        if isinstance(default, DTypePolicy):
            # a quantized policy is named by more than its source; the others by their name alone
            default = serialize(default) if isinstance(default, QuantizedDTypePolicy) else default.name
        return {
            "default_policy": default,
            "policy_map": {path: serialize(policy) for path, policy in self._policies.items()},
        }

    def __repr__(self) -> str:
        pairs = [(path, policy.name) for path, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={pairs}>"
