"""`TFSMLayer`: a layer around an endpoint of a SavedModel. The backend knows TensorFlow; this file does not."""

from __future__ import annotations

import os
from typing import Any

from hornbeam import scope
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.layer import Layer
from hornbeam.saving.config import in_safe_mode
from hornbeam.variable import Variable


@wire("keras.layers.TFSMLayer")
class TFSMLayer(Layer):
    """A function in a SavedModel folder as a layer; the model's variables are weights of the layer.

    Args:
        filepath: The folder.
        call_endpoint: The name of the function to call: an attribute of what was saved, or one of its signatures.
        call_training_endpoint: That to call with `training=True`; `call_endpoint` if None.
        trainable: Whether the variables that were trainable when they were saved are trained.
        name: A name; None counts up.
        dtype: The dtype or policy of the layer.

    Raises:
        NotImplementedError: On another backend than tensorflow.
        ValueError: For a folder that is none of a SavedModel, or an endpoint that it does not have.

    >>> import hornbeam as keras
    >>> if keras.backend.backend() == "tensorflow":
    ...     import tempfile
    ...     import tensorflow as tf
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    ...     folder = tempfile.mkdtemp()
    ...     tf.saved_model.save(model, folder)
    ...     layer = keras.layers.TFSMLayer(folder, call_endpoint="__call__")
    ...     assert layer(tf.ones((4, 3))).shape == (4, 2) and len(layer.trainable_weights) == 2
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        wanted = [one for one in (call_endpoint, call_training_endpoint) if one is not None]
        found, handles = backend.saved_functions(os.fspath(filepath), wanted)
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath = os.fspath(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        # not as attributes, in which their variables would be looked for
        self.__dict__["_endpoints"] = {training: found[-1 if training else 0] for training in (False, True)}
        with scope.own_scope(self.name):
            for path, handle in handles:
                variable = Variable.around(handle, path)
                (self._own_trainable if variable.trainable else self._own_frozen).append(variable)
        self.built = True

    def call(self, inputs: Any, training: bool = False, **kwargs: Any) -> Any:
        """What the endpoint gives for `inputs`: a tensor, or whatever structure was saved."""
        return self.__dict__["_endpoints"][bool(training)](inputs, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments; the folder is named, not copied."""
        return {
            **super().get_config(),
            "filepath": self.filepath,
            "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave; a SavedModel is code, and refused in safe mode."""
        if in_safe_mode():
            raise ArgumentError(
                "a file without code", f"a SavedModel in {config.get('filepath')!r}", "TFSMLayer.from_config",
                "The functions in it can do anything to this machine. If you trust its source, pass safe_mode=False.",
            )
        return super().from_config(config)
