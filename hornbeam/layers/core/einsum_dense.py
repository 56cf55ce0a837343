"""`EinsumDense`: a linear map along any axes, said by an equation."""

from __future__ import annotations

import re
from typing import Any

from hornbeam import activations, constraints, initializers, ops, regularizers
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.initializers import VarianceScaling
from hornbeam.layers.core.checks import no_quantization, where
from hornbeam.layers.core.lora import LowRankAdapted

_EQUATION = re.compile(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(\.\.\.)?([A-Za-z]*)(\.\.\.)?")


@wire("keras.layers.EinsumDense")
class EinsumDense(LowRankAdapted):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: Letters for the axes of inputs, kernel and outputs, such as ``"abc,cd->abd"``. Inputs and outputs
            may begin, or end, with "..." for axes that pass through.
        output_shape: The sizes of the axes of the outputs, without the batch and without those of "..."; None where
            the inputs tell.
        activation: An activation or its name.
        bias_axes: The letters of the outputs along which there is a bias; None is no bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        lora_rank: The rank of a trained low-rank change of the kernel, which itself stands still; None for none.
        lora_alpha: The change counts `lora_alpha / lora_rank` times; `lora_rank` if None.
        gptq_unpacked_column_size: Must be None: weights are not quantized.
        quantization_config: Must be None: weights are not quantized.

    Raises:
        ValueError: For an equation of another form, or letters that are not explained.

    >>> import hornbeam as keras
    >>> layer = keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 4), bias_axes="de")
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 2, 4)
    """

    adapted_name = "kernel"

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        no_quantization(quantization_config, self)
        no_quantization(gptq_unpacked_column_size, self, "gptq_unpacked_column_size")
        self.quantization_config = None
        self.equation = equation
        self.partial_output_shape = (
            tuple(output_shape) if isinstance(output_shape, (list, tuple)) else (output_shape,)
        )
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias: Any = None
        self._read_equation()
        self._init_lora(lora_rank, lora_alpha)
        self.supports_masking = True

    def _read_equation(self) -> None:
        found = _EQUATION.fullmatch(self.equation.replace(" ", "")) if isinstance(self.equation, str) else None
        if found is None or (bool(found[1]), bool(found[3])) != (bool(found[5]), bool(found[7])) or (
            found[1] and found[3]
        ):
            raise ArgumentError(
                "an equation like 'abc,cd->abd', '...c,cd->...d' or 'ab...,bc->ac...'", repr(self.equation), where(self)
            )
        self._inner, self._weight, self._outer = found[2], found[4], found[6]
        self._left, self._right = bool(found[1]), bool(found[3])
        unknown = [one for one in self._outer if one not in self._inner + self._weight]
        if unknown:
            raise ArgumentError(
                "letters in the output that stand in the inputs or the kernel", f"{unknown[0]!r} in {self.equation!r}",
                where(self),
            )
        # without "..." on the left, the first letter of the output is the batch
        letters = self._outer if self._left else self._outer[1:]
        if len(self.partial_output_shape) > len(letters):
            raise ArgumentError(
                f"output_shape with at most one size for each of {letters!r}", repr(self.partial_output_shape),
                where(self),
            )
        for letter in self.bias_axes or "":
            if letter not in self._outer:
                raise ArgumentError(
                    f"bias_axes out of the letters {self._outer!r} of the output", repr(self.bias_axes), where(self)
                )

    def _sizes(self, input_shape: tuple[int | None, ...]) -> dict[str, int | None]:
        """The size of each letter, None where it is open."""
        count = len(self._inner)
        fits = len(input_shape) >= count if self._left or self._right else len(input_shape) == count
        if not fits:
            raise ArgumentError(
                f"an input with {count} axes{' or more' if self._left or self._right else ''}, as the equation "
                f"{self.equation!r} has", f"shape={tuple(input_shape)}", where(self),
            )
        sizes = dict(zip(self._inner, input_shape[len(input_shape) - count :] if self._left else input_shape))
        for letter, size in zip(reversed(self._outer), reversed(self.partial_output_shape), strict=False):
            known = sizes.get(letter)
            if size is not None and known is not None and size != known:
                raise ArgumentError(
                    f"size {known} for {letter!r} in output_shape, as in the input", str(size), where(self)
                )
            if known is None:
                sizes[letter] = size
        return sizes

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes kernel and bias; the sizes of their axes must be known."""
        sizes = self._sizes(input_shape)

        def shape(letters: str, what: str) -> tuple[int, ...]:
            for letter in letters:
                if sizes.get(letter) is None:
                    raise ArgumentError(
                        f"a known size for {letter!r} of the {what}, from the input or from output_shape",
                        f"shape={tuple(input_shape)}, output_shape={self.partial_output_shape}", where(self),
                    )
            return tuple(sizes[letter] for letter in letters)  # type: ignore[misc]

        kernel_shape = shape(self._weight, "kernel")
        bias_shape: tuple[int, ...] = ()
        if self.bias_axes is not None:
            first = min((self._outer.index(letter) for letter in self.bias_axes), default=len(self._outer))
            bias_shape = tuple(
                shape(letter, "bias")[0] if letter in self.bias_axes else 1 for letter in self._outer[first:]
            )
            if self._right:
                bias_shape += (1,) * (len(input_shape) - len(self._inner))
        self._add_adaptable(
            kernel_shape, self._fitting_initializer(), regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.add_weight(
            bias_shape, self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint,
            name="bias",
        ) if self.bias_axes is not None else None
        if self.lora_rank is not None:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    def _fitting_initializer(self) -> Any:
        """The initializer of the kernel, told which axes are summed over and which are made, unless it knows."""
        initializer = self.kernel_initializer
        if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
            return initializer
        fitting = initializer.clone()
        fitting.seed = initializer.seed
        places = list(enumerate(self._weight))
        fitting.input_axes = tuple(i for i, letter in places if letter not in self._outer)
        fitting.output_axes = tuple(i for i, letter in places if letter not in self._inner)
        return fitting

    @property
    def kernel(self) -> Any:
        """The kernel; under low-rank adaptation the sum, as a tensor."""
        return self._adapted()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The map of `inputs`."""
        outputs = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs by the equation."""
        sizes = self._sizes(input_shape)
        passed = len(input_shape) - len(self._inner)
        return (
            *(input_shape[:passed] if self._left else ()),
            *(sizes.get(letter) for letter in self._outer),
            *(input_shape[len(self._inner) :] if self._right else ()),
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        config["output_shape"] = self.partial_output_shape
        config.pop("gptq_unpacked_column_size")
        config.setdefault("activity_regularizer", None)
        return config
