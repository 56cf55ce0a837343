"""Dtype policies: in which float type a layer computes and in which it keeps its weights; knows no layer."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, dtypes
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from hornbeam.symbolic import KerasTensor

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
POLICY_NAMES = (*_MIXED, *dtypes.ALL)


@wire("keras.DTypePolicy", "keras.dtype_policies.DTypePolicy", "keras.mixed_precision.Policy")
class DTypePolicy:
    """The pair of dtypes a layer works with.

    Under "mixed_float16" and "mixed_bfloat16" weights are float32 and computation runs in the smaller type
    (P. Micikevicius et al., "Mixed precision training", ICLR 2018). Any dtype name is a policy that uses that
    dtype for both.

    Args:
        name: "mixed_float16", "mixed_bfloat16" or a dtype name; None takes the global policy.

    Raises:
        TypeError: If `name` is no string.
        ValueError: If it names no policy.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        elif not isinstance(name, str):
            where = type(self).__name__
            raise ArgumentTypeError("the name of a dtype policy", repr(name), where, "Try 'mixed_bfloat16'.")
        self._name = name
        self._compute_dtype, self._variable_dtype = parse_name(name)

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype in which layers compute."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype in which layers keep their weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The kind of quantization, such as "int8", or None."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: str) -> Any:
        """`x` as a tensor; a float one is cast to `dtype` if `autocast` says so.

        Args:
            x: A tensor, an array, or anything else. What is no array comes back as it is.
            autocast: Whether floats are cast.
            dtype: The dtype that floats are cast to.

        Returns:
            The tensor; for a `KerasTensor` one of the new dtype.
        """
        if isinstance(x, KerasTensor):
            if not (autocast and dtypes.is_float(x.dtype) and x.dtype != dtype):
                return x
            return KerasTensor(x.shape, dtype, sparse=x.sparse, ragged=x.ragged)
        if not (backend.is_array(x) or hasattr(x, "__array__")):
            return x
        tensor = x if backend.is_array(x) else backend.asarray(x)
        if autocast and dtypes.is_float(backend.dtype(tensor)) and backend.dtype(tensor) != dtype:
            return backend.cast(tensor, dtype)
        return tensor

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal policy."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A policy made from what `get_config` gave."""
        return cls(**config)

    def _identity(self) -> tuple[Any, ...]:
        # The old name of the class means the same policy.
        kind = DTypePolicy if isinstance(self, FloatDTypePolicy) else type(self)
        return kind, tuple(self.get_config().items())

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


@wire("keras.FloatDTypePolicy", "keras.dtype_policies.FloatDTypePolicy")
class FloatDTypePolicy(DTypePolicy):
    """The older name of `DTypePolicy`, which files may still carry."""


def parse_name(name: str) -> tuple[str, str]:
    """The compute dtype and the variable dtype that a policy name stands for.

    >>> parse_name("mixed_float16"), parse_name("float64")
    (('float16', 'float32'), ('float64', 'float64'))
    """
    if name in _MIXED:
        return _MIXED[name], "float32"
    try:
        dtype = dtypes.standardize_dtype(name)
    except ArgumentError:
        raise UnknownNameError("dtype policy", name, POLICY_NAMES, "DTypePolicy") from None
    return dtype, dtype


# --- the policy of layers that are told nothing ----------------------------------------------------------------

_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none: what `set_dtype_policy` set, else the default float type."""
    return DTypePolicy(_config.floatx()) if _global is None else _global


def set_global(policy: DTypePolicy) -> None:
    """Makes `policy` the global one."""
    global _global
    _global = policy
