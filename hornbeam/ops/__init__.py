"""`hornbeam.ops`: every op under one name, and the families `numpy`, `nn`, `linalg` and `image`.

The ops with NumPy's names and the core ones are loaded at once, since the operators of symbolic tensors and variables
are made of them; the other families load on first touch. `names.py` has the table of all.
"""

from hornbeam._lazy import attach
from hornbeam.ops import core, names, numpy, operators

_EAGER = (names.CORE, names.NUMPY)
globals().update(names.loaded(*_EAGER))

_NAMES = names.homes(names.NN, names.LINALG, names.MATH, names.OTHERS)
_NAMES |= {name: f"{__name__}.{name}" for name in ("image", "linalg", "nn")}

__getattr__, __dir__ = attach(__name__, _NAMES)

__all__ = [*sorted(names.homes(*_EAGER)), "core", "numpy", "operators"]  # pyright: ignore[reportUnsupportedDunderAll]
