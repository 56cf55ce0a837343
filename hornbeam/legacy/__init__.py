"""`hornbeam.legacy`: names of Keras that only older programs use."""

from hornbeam._lazy import attach

_NAMES = {"saving": "hornbeam.legacy.saving"}

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
