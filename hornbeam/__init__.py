"""hornbeam: the Keras 3 interface on JAX, PyTorch, TensorFlow and NumPy."""

__version__ = "0.1.0"
