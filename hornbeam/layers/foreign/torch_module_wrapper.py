"""`TorchModuleWrapper`: a layer around an `nn.Module`. The backend knows torch; this file does not."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from hornbeam import scope
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError, describe
from hornbeam.layers.layer import Layer
from hornbeam.saving.config import in_safe_mode, serialize_value
from hornbeam.variable import Variable, standardize_shape


@wire("keras.layers.TorchModuleWrapper")
class TorchModuleWrapper(Layer):
    """A torch module as a layer; its parameters are weights of the layer.

    An `nn.Module` that is assigned to an attribute of a layer or model is wrapped in one of these by itself. With
    `training=True` or `False` the module runs in that mode, and is put back into its own after the call; where
    nothing is said it runs in its own mode.

    Args:
        module: The `torch.nn.Module`. Lazy modules must have been run once.
        name: A name; None counts up.
        output_shape: The shape of the output, None where open, if it cannot be found by following the module.

    Raises:
        NotImplementedError: On another backend than torch.
        TypeError: For anything but a module.

    >>> import hornbeam as keras
    >>> if keras.backend.backend() == "torch":
    ...     import torch
    ...     layer = keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 4))
    ...     assert layer(torch.ones(2, 3)).shape == (2, 4) and len(layer.weights) == 2
    """

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if backend.module_wrapper != "TorchModuleWrapper":
            raise UnsupportedError(
                "the torch backend", f"the {backend.name} backend", "TorchModuleWrapper", "Set HORNBEAM_BACKEND=torch."
            )
        if not isinstance(module, backend.native_types) or not hasattr(module, "named_parameters"):
            raise ArgumentTypeError("a torch.nn.Module", describe(module), "TorchModuleWrapper")
        self.output_shape_given = None if output_shape is None else standardize_shape(output_shape)
        self.__dict__["module"] = module  # not by assignment, which would wrap it again
        with scope.own_scope(self.name):
            around = {path: Variable.around(one, path) for path, one in module.named_parameters()}
        self._untracked_around = around
        for variable in around.values():
            (self._own_trainable if variable.trainable else self._own_frozen).append(variable)
        self.built = True

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What the module gives for these arguments."""
        mode = self.module.training
        if training is not None and bool(training) != mode:
            self.module.train(bool(training))
        try:
            values = {path: variable.value for path, variable in self._untracked_around.items()}
            return backend.call_module(self.module, values, args, kwargs)
        finally:
            if self.module.training != mode:
                self.module.train(mode)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape that was given, else what following the module gives."""
        if self.output_shape_given is not None:
            return self.output_shape_given
        return super().compute_output_shape(*args, **kwargs)

    compute_output_shape.by_evaluation = True  # type: ignore[attr-defined]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs: of the shape that was given, else by following the module."""
        found = super().compute_output_spec(*args, **kwargs) if self.output_shape_given is None else None
        if found is not None:
            return found
        first = args[0] if args else next(iter(kwargs.values()))
        return type(first)(self.output_shape_given, self.compute_dtype)

    def save_own_variables(self, store: Any) -> None:
        """Writes the module's parameters and buffers by their names in torch."""
        for path, value in self.module.state_dict().items():
            store[path] = backend.to_numpy(value)

    def load_own_variables(self, store: Any) -> None:
        """Reads the module's parameters and buffers by their names in torch."""
        own = self.module.state_dict()
        if set(own) != set(store.keys()):
            raise ArgumentError(f"the names {sorted(own)}", f"{sorted(store.keys())} in the file", self._where())
        for path, value in own.items():
            given = backend.asarray(store[path], backend.dtype(value))
            if backend.shape(given) != backend.shape(value):
                raise ArgumentError(
                    f"shape={backend.shape(value)} for {path!r}", f"shape={backend.shape(given)}", self._where()
                )
        for path, value in own.items():
            backend.write(value, backend.asarray(store[path], backend.dtype(value)))

    def get_config(self) -> dict[str, Any]:
        """The arguments; the module as torch saves it, in base64."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_value(self.dtype_policy),
            "module": base64.b64encode(backend.module_bytes(self.module)).decode("ascii"),
            "output_shape": self.output_shape_given,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave; a module from a file is code, and refused in safe mode."""
        config = dict(config)
        module = config.get("module")
        if isinstance(module, str):
            if in_safe_mode():
                raise ArgumentError(
                    "a file without code", "a pickled torch module", "TorchModuleWrapper.from_config",
                    "What torch has pickled can do anything to this machine. If you trust its source, pass "
                    "safe_mode=False; else build the model in code and load its weights only.",
                )
            try:
                raw = base64.b64decode(module.encode("ascii"), validate=True)
            except (binascii.Error, UnicodeEncodeError):
                raise ArgumentError("a module in base64", "other text", "TorchModuleWrapper.from_config") from None
            config["module"] = backend.module_from_bytes(raw)
        return super().from_config(config)
