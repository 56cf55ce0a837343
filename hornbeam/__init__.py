"""hornbeam: the Keras 3 interface on JAX, PyTorch, TensorFlow and NumPy.

Names only; what is behind a name loads when it is first touched.
"""

from hornbeam._lazy import attach
from hornbeam._wire import keras_version

__version__ = "0.1.0"

_NAMESPACES = (
    "activations", "applications", "backend", "callbacks", "config", "constraints", "data", "datasets", "distribution",
    "dtype_policies", "export", "initializers", "layers", "legacy", "losses", "metrics", "mixed_precision", "models",
    "ops", "optimizers", "preprocessing", "quantizers", "random", "regularizers", "saving", "tree", "utils",
    "visualization", "wrappers",
)

_NAMES = {
    "DTypePolicy": "hornbeam.dtype_policies",
    "FloatDTypePolicy": "hornbeam.dtype_policies",
    "Function": "hornbeam.graph",
    "GradientTape": "hornbeam.tape",
    "Initializer": "hornbeam.initializers",
    "Input": "hornbeam.layers",
    "InputSpec": "hornbeam.layers",
    "KerasTensor": "hornbeam.ops.operators",  # with which its operators come
    "Layer": "hornbeam.layers",
    "Loss": "hornbeam.losses",
    "Metric": "hornbeam.metrics",
    "Model": "hornbeam.models",
    "Operation": "hornbeam.symbolic",
    "Optimizer": "hornbeam.optimizers",
    "Regularizer": "hornbeam.regularizers",
    "RematScope": "hornbeam.layers.remat",
    "Sequential": "hornbeam.models",
    "StatelessScope": "hornbeam.stateless",
    "SymbolicScope": "hornbeam.stateless",
    "Variable": "hornbeam.ops.operators",  # with which its operators come
    "custom_gradient": "hornbeam.transforms",
    "device": "hornbeam.config",
    "grad": "hornbeam.transforms",
    "install_as_keras": "hornbeam.install",
    "jit": "hornbeam.transforms",
    "name_scope": "hornbeam.scope",
    "remat": "hornbeam.transforms",
    "stop_gradient": "hornbeam.transforms",
    "value_and_grad": "hornbeam.transforms",
    "version": "hornbeam.config",
    **{name: f"hornbeam.{name}" for name in _NAMESPACES},
}

__all__ = ["__version__", "keras_version", *_NAMES]
__getattr__, __dir__ = attach(__name__, _NAMES)
