"""`hornbeam.datasets`: well-known data sets, fetched once and kept in Keras's cache."""

from hornbeam._lazy import attach

_NAMES = {"mnist": "hornbeam.datasets.mnist"}

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
