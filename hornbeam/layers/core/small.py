"""Layers of a line or two: `Activation`, `Identity`, `Rescaling`, `Lambda`, `Masking`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbeam import activations, ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentTypeError, describe
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer
from hornbeam.saving.config import deserialize_value, serialize_value


@wire("keras.layers.Activation")
class Activation(Layer):
    """An activation as a layer.

    Args:
        activation: An activation function or its name.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.Activation("relu")(keras.ops.array([-1.0, 2.0]))).tolist()
    [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """The activation of `inputs`."""
        return self.activation(inputs)


@wire("keras.layers.Identity")
class Identity(Layer):
    """What comes in, unchanged."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """`inputs`."""
        return inputs


@wire("keras.layers.Rescaling")
class Rescaling(Layer):
    """`inputs * scale + offset`, in floats.

    Args:
        scale: A number, or one for each channel.
        offset: A number, or one for each channel.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.Rescaling(1 / 255)(keras.ops.array([[0, 255]]))).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """There is nothing to make; files hold the shape, as Keras's do."""

    def call(self, inputs: Any) -> Any:
        """The scaled inputs, in the compute dtype."""
        inputs = ops.cast(inputs, self.compute_dtype)
        scale = ops.cast(ops.convert_to_tensor(self.scale), self.compute_dtype)
        offset = ops.cast(ops.convert_to_tensor(self.offset), self.compute_dtype)
        return ops.add(ops.multiply(inputs, scale), offset)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape


@wire("keras.layers.Lambda")
class Lambda(Layer):
    """A function as a layer.

    Variables and layers that the function uses are not the layer's own: write a `Layer` for such. A model with
    an anonymous function can be saved, but to load it again takes `safe_mode=False`, since its code is in the
    file; a named function registered with `register_keras_serializable` is safe.

    Args:
        function: `function(inputs, **arguments)`; may also take `mask` and `training`.
        output_shape: The shape without the batch axis, or a function of the input shape; found by evaluation
            if None.
        mask: The mask of the outputs, or a function `(inputs, mask)` that gives it.
        arguments: Keyword arguments for the function.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.layers.Lambda(lambda x: x * 2)(keras.ops.array([1.0]))).tolist()
    [2.0]
    """

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentTypeError("a function", describe(function), where(self))
        self.arguments = arguments or {}
        self.function = function
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        known = inspect.signature(function).parameters
        self._takes = {name for name in ("mask", "training") if name in known}

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """What the function gives."""
        given = {name: value for name, value in (("mask", mask), ("training", training)) if name in self._takes}
        return self.function(inputs, **{**given, **self.arguments})

    def compute_output_spec(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """The symbolic outputs: of the shape that was given, else by evaluation."""
        if self._output_shape is None:
            return super().compute_output_spec(inputs)
        if callable(self._output_shape):
            shape = tuple(self._output_shape(inputs.shape))
        else:
            rest = (self._output_shape,) if isinstance(self._output_shape, int) else tuple(self._output_shape)
            shape = (inputs.shape[0], *rest)
        return type(inputs)(shape, self._seen_dtype(inputs))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask given, or what its function gives."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The function by name or, if it is anonymous, by its code."""
        config = super().get_config()
        config["function"] = serialize_value(self.function)
        if self._output_shape is None:
            config.pop("output_shape", None)
        else:
            config["output_shape"] = serialize_value(self._output_shape)
        config["mask"] = serialize_value(self.mask)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave; code from a file is refused in safe mode."""
        config = {name: deserialize_value(value) for name, value in config.items()}
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        return cls(**config)


@wire("keras.layers.Masking")
class Masking(Layer):
    """Masks steps whose features all equal one value.

    Args:
        mask_value: The value.

    >>> import hornbeam as keras
    >>> keras.layers.Masking()(keras.ops.ones((2, 3, 4))).shape
    (2, 3, 4)
    """

    _keeps_dtype = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Which steps (batch, steps) have a feature that differs from the value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """`inputs` with masked steps set to zero."""
        keep = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(keep, backend.dtype(inputs)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape
