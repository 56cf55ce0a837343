"""`hornbeam.dtype_policies`: in which dtypes layers compute and keep their weights."""

from hornbeam.dtype_policies.identify import deserialize, get, serialize, set_dtype_policy
from hornbeam.dtype_policies.policy import DTypePolicy, FloatDTypePolicy, dtype_policy
from hornbeam.dtype_policies.policy_map import DTypePolicyMap
from hornbeam.dtype_policies.quantized import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]
