"""`SpectralNormalization`: keeps the largest singular value of a layer's kernel at 1."""

from __future__ import annotations

from typing import Any

from hornbeam import initializers, ops
from hornbeam._wire import wire
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.layers.core.wrapper import Wrapper


@wire("keras.layers.SpectralNormalization")
class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value, estimated anew in each training step.

    T. Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: How many rounds of power iteration a training step makes.

    Raises:
        ValueError: If the layer has neither.

    >>> import hornbeam as keras
    >>> keras.layers.SpectralNormalization(keras.layers.Dense(3))(keras.ops.ones((2, 4)), training=True).shape
    (2, 3)
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_integer(power_iterations, "power_iterations", self)

    def build(self, input_shape: Any) -> None:
        """Builds the layer and makes the vector that the iteration goes on with."""
        super().build(input_shape)
        name = next((one for one in ("kernel", "embeddings") if hasattr(self.layer, one)), None)
        if name is None:
            raise ArgumentError("a layer with a kernel or embeddings", repr(self.layer), where(self))
        # of this layer too, as in files of Keras
        self.kernel = getattr(self.layer, name)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02), trainable=False, name="vector_u"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The layer's outputs; its kernel is normalised first if `training`."""
        if training:
            vector, kernel = self.normalized_weights()
            self.vector_u.assign(ops.cast(vector, self.vector_u.dtype))
            self.kernel.assign(ops.cast(kernel, self.kernel.dtype))
        takes = self.layer._call_signature.has_training
        return self.layer(inputs, **({"training": training} if takes else {}))

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next vector of the iteration, and the kernel divided by its largest singular value."""
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = self.vector_u.value
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(matrix)), axis=-1, order=2)
            u = ops.normalize(ops.matmul(v, matrix), axis=-1, order=2)
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        largest = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        return u, ops.reshape(ops.divide(self.kernel, largest), self.kernel.shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that the layer gives."""
        return self.layer.compute_output_shape(input_shape)
