"""The ops whose nodes are called `keras.src.ops.math` in files; each is written in the file of its theme."""

from hornbeam.ops import names

globals().update(names.loaded(names.MATH))
__all__ = sorted(names.homes(names.MATH))  # pyright: ignore[reportUnsupportedDunderAll]
