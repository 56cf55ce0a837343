"""The ops of neural networks, as `keras.ops.nn` lists them; each is written in the file of its theme."""

from hornbeam.ops import names

globals().update(names.loaded(names.NN))
__all__ = sorted(names.homes(names.NN))  # pyright: ignore[reportUnsupportedDunderAll]
