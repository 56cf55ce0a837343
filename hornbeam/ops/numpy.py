"""The face of `keras.ops.numpy`: all ops with NumPy's names, whichever file defines them."""

from hornbeam.ops import names

globals().update(names.loaded(names.NUMPY))
__all__ = sorted(names.homes(names.NUMPY))  # pyright: ignore[reportUnsupportedDunderAll]
