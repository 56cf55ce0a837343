"""Policies of quantized layers; they name how weights are packed, the layers do it."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.dtype_policies.policy import DTypePolicy, dtype_policy, parse_name
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError

MODES = ("int8", "int4", "float8", "gptq", "awq")


@wire("keras.dtype_policies.QuantizedDTypePolicy")
class QuantizedDTypePolicy(DTypePolicy):
    """A policy whose weights are stored in few bits.

    Args:
        mode: "int8", "int4" or "float8".
        source_name: The policy the layer had before; None takes the global one.

    Raises:
        ValueError: For an unknown mode, or for int8 together with float16 computation, which overflows.

    >>> QuantizedDTypePolicy("int8", "mixed_bfloat16").name
    'int8_from_mixed_bfloat16'
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        source = dtype_policy().name if source_name is None else source_name
        if not isinstance(source, str) or not isinstance(mode, str):
            raise ArgumentTypeError("two names: a mode and a policy", f"{mode!r} and {source!r}", type(self).__name__)
        super().__init__(source)
        self._source_name = source
        self._mode = mode
        self._quantization_mode = self._parse_mode(mode)
        if self._quantization_mode == "int8" and self.compute_dtype == "float16":
            raise ArgumentError(
                "another compute dtype than float16 with int8, whose sums overflow it", f"{source!r}",
                type(self).__name__, "Use 'mixed_bfloat16' or 'float32'.",
            )
        self._name = f"{mode}_from_{source}"

    def _parse_mode(self, mode: str) -> str:
        if mode not in MODES:
            raise UnknownNameError("quantization mode", mode, MODES, type(self).__name__)
        return mode

    @property
    def quantization_mode(self) -> str:
        """The kind of quantization, such as "int8"."""
        return self._quantization_mode

    def get_config(self) -> dict[str, Any]:
        return {"mode": self._mode, "source_name": self._source_name}

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


def _parts(mode: str, form: str, where: str) -> list[int]:
    """The numbers in a mode such as "gptq/4/128" of the form "gptq/<weight_bits>/<group_size>"."""
    words, wanted = mode.split("/"), form.split("/")
    try:
        numbers = [int(word) for word in words[1:]]
    except ValueError:
        numbers = []
    if words[0] != wanted[0] or len(words) != len(wanted) or len(numbers) != len(wanted) - 1:
        raise ArgumentError(f"a mode of the form {form!r}", repr(mode), where)
    if numbers[-1] < 1 and numbers[-1] != -1:
        raise ArgumentError("a group of -1 (the whole) or of a positive size", f"{numbers[-1]} in {mode!r}", where)
    return numbers


@wire("keras.dtype_policies.Int4DTypePolicy")
class Int4DTypePolicy(QuantizedDTypePolicy):
    """A policy of 4-bit weights with one scale per block.

    Args:
        mode: "int4/<block_size>"; -1 is one block per channel.
        source_name: As in `QuantizedDTypePolicy`.

    >>> Int4DTypePolicy("int4/128", "float32").block_size
    128
    """

    def _parse_mode(self, mode: str) -> str:
        (self.block_size,) = _parts(mode, "int4/<block_size>", type(self).__name__)
        self.mode = "int4"
        return "int4"


class _GroupedPolicy(QuantizedDTypePolicy):
    _bits: tuple[int, ...] = ()

    def _parse_mode(self, mode: str) -> str:
        kind = type(self).__name__.removesuffix("DTypePolicy").lower()
        self.weight_bits, self.group_size = _parts(mode, f"{kind}/<weight_bits>/<group_size>", type(self).__name__)
        if self.weight_bits not in self._bits:
            raise ArgumentError(f"weights of {self._bits} bits", f"{self.weight_bits} in {mode!r}", type(self).__name__)
        self.mode = kind
        return kind


@wire("keras.dtype_policies.GPTQDTypePolicy")
class GPTQDTypePolicy(_GroupedPolicy):
    """A policy of weights quantized by GPTQ (E. Frantar et al., ICLR 2023).

    Args:
        mode: "gptq/<weight_bits>/<group_size>" with 2, 3, 4 or 8 bits; a group of -1 is the whole tensor.
        source_name: As in `QuantizedDTypePolicy`.

    >>> GPTQDTypePolicy("gptq/4/128", "float32").group_size
    128
    """

    _bits = (2, 3, 4, 8)


@wire("keras.dtype_policies.AWQDTypePolicy")
class AWQDTypePolicy(_GroupedPolicy):
    """A policy of weights quantized by AWQ (J. Lin et al., MLSys 2024).

    Args:
        mode: "awq/4/<group_size>"; a group of -1 is a channel.
        source_name: As in `QuantizedDTypePolicy`.

    >>> AWQDTypePolicy("awq/4/128", "float32").weight_bits
    4
    """

    _bits = (4,)


@wire("keras.dtype_policies.QuantizedFloat8DTypePolicy")
class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """A policy of float8 matrix products with scales from past maxima (P. Micikevicius et al., 2022).

    Args:
        mode: "float8".
        source_name: As in `QuantizedDTypePolicy`.
        amax_history_length: How many past maxima the scale is computed from.

    >>> QuantizedFloat8DTypePolicy("float8", "float32").amax_history_length
    1024
    """

    default_amax_history_length = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = default_amax_history_length
    ) -> None:
        if isinstance(amax_history_length, bool) or not isinstance(amax_history_length, int):
            raise ArgumentTypeError("an integer amax_history_length", repr(amax_history_length), type(self).__name__)
        super().__init__(mode, source_name)
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """How many past maxima the scale is computed from."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


def quantized(name: str) -> QuantizedDTypePolicy:
    """The policy with a name such as "int8_from_float32" or "gptq/4/128_from_mixed_bfloat16".

    Raises:
        ValueError: If the name has another form or an unknown part.
    """
    mode, separator, source = name.partition("_from_")
    if not separator:
        raise ArgumentError("a name of the form '<mode>_from_<policy>'", repr(name), "dtype_policies.get")
    parse_name(source)
    kind = mode.split("/")[0]
    if kind == "float8":
        return QuantizedFloat8DTypePolicy(mode, source)
    if kind == "gptq":
        return GPTQDTypePolicy(mode, source)
    if kind == "awq":
        return AWQDTypePolicy(mode, source)
    return Int4DTypePolicy(mode, source) if mode.startswith("int4/") else QuantizedDTypePolicy(mode, source)
