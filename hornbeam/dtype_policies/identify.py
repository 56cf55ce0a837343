"""Policies from names, dicts and dtypes, and back; the public `get`, `serialize` and `deserialize`."""

from __future__ import annotations

from typing import Any

from hornbeam import dtypes
from hornbeam.dtype_policies.policy import DTypePolicy, dtype_policy, set_global
from hornbeam.dtype_policies.quantized import MODES, quantized
from hornbeam.errors import ArgumentError, describe
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as the dict that files carry.

    >>> serialize(DTypePolicy("float16"))["config"]
    {'name': 'float16'}
    """
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The policy that `serialize` gave; anything but a dict comes back as it is.

    >>> deserialize({"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float16"}}).name
    'float16'
    """
    if not isinstance(config, dict):
        return config
    module = config.get("module") or ("keras" if config.get("class_name") == "DTypePolicy" else "keras.dtype_policies")
    complete = {"config": {}, "registered_name": None, **config, "module": module}
    return deserialize_keras_object(complete, custom_objects=custom_objects)


def get(identifier: Any) -> DTypePolicy:
    """The policy that an identifier stands for.

    Args:
        identifier: A policy; its name; a dtype of any framework; the dict of `serialize`; or None, the global
            policy.

    Returns:
        A policy.

    Raises:
        ValueError: If it stands for none.

    >>> get("mixed_float16").compute_dtype
    'float16'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        # "int8" is a dtype too, but as a policy of a layer it can only have meant quantization
        is_quantized = "_from_" in identifier or identifier.split("/")[0] in MODES
        return quantized(identifier) if is_quantized else DTypePolicy(identifier)
    try:
        return DTypePolicy(dtypes.standardize_dtype(identifier))
    except (ArgumentError, TypeError):
        raise ArgumentError(
            "a dtype policy, its name, a dtype or None", describe(identifier), "dtype_policies.get"
        ) from None


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers that are given none.

    Args:
        policy: A `DTypePolicy` or its name.

    Raises:
        ValueError: If it is anything else. The global policy stays.

    >>> set_dtype_policy("float32")
    """
    if not isinstance(policy, (str, DTypePolicy)):
        raise ArgumentError("a dtype policy or its name", describe(policy), "set_dtype_policy")
    set_global(get(policy))
