"""`Input` and `InputLayer`: where a graph begins."""

from __future__ import annotations

from typing import Any

from hornbeam import _config, dtypes, tree
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.layers.layer import Layer
from hornbeam.symbolic import KerasTensor, Node
from hornbeam.variable import standardize_shape


@wire("keras.layers.InputLayer")
class InputLayer(Layer):
    """The layer that makes one symbolic input.

    Args:
        shape: The shape without the batch axis; None where open.
        batch_size: The size of the batch axis, or None.
        dtype: A dtype name; the default float type if None. "string" for text.
        sparse: Whether inputs are sparse.
        ragged: Whether inputs are ragged.
        batch_shape: The shape with the batch axis, in place of `shape` and `batch_size`.
        input_tensor: A symbolic tensor to use as the input.
        optional: Whether None may come in place of the input.
        name: A name.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        where = f"Input {name!r}" if name else "Input"
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        if kwargs:
            raise ArgumentTypeError("known arguments", str(sorted(kwargs)), where)
        if sparse and ragged:
            raise ArgumentError("an input that is sparse or ragged", "both", where)
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ArgumentTypeError("a symbolic tensor as input_tensor", describe(input_tensor), where)
            if batch_size is not None and batch_size != input_tensor.shape[0]:
                raise ArgumentError("the batch size of input_tensor", f"batch_size={batch_size}", where)
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        elif (shape is None) == (batch_shape is None):
            raise ArgumentError("either shape or batch_shape", "both" if shape is not None else "neither", where)
        if shape is not None:
            batch_shape = (batch_size, *standardize_shape(shape))
        self._batch_shape = standardize_shape(batch_shape)
        self._dtype_name = dtypes.standardize_dtype(dtype or _config.floatx())
        super().__init__(name=name)
        self.optional = bool(optional)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.built = True
        tensor = input_tensor if input_tensor is not None else KerasTensor(
            self._batch_shape, self._dtype_name, self.sparse, self.ragged, name=self.name
        )
        Node(self, (), {}, tensor)

    def call(self) -> None:
        """Nothing: inputs come from outside."""

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        """The shape with the batch axis."""
        return self._batch_shape

    @property
    def dtype(self) -> str:
        """The dtype of the input."""
        return self._dtype_name

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal input."""
        return {
            "batch_shape": list(self._batch_shape), "dtype": self._dtype_name, "sparse": self.sparse,
            "ragged": self.ragged, "name": self.name, "optional": self.optional,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> Any:
    """A symbolic tensor that stands for one input of a model.

    Args:
        shape: The shape without the batch axis; None where open. A single number is one axis.
        batch_size: The size of the batch axis, or None.
        dtype: A dtype name; the default float type if None. "string" for text.
        sparse: Whether inputs are sparse.
        ragged: Whether inputs are ragged.
        batch_shape: The shape with the batch axis, in place of `shape` and `batch_size`.
        name: A name, by which a dict of inputs is matched.
        tensor: A symbolic tensor to use as the input.
        optional: Whether None may come in place of the input.

    Returns:
        A `KerasTensor`.

    >>> import hornbeam as keras
    >>> keras.Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        name=name, input_tensor=tensor, optional=optional,
    )
    return tree.flatten(layer.output)[0]
