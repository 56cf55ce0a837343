"""`hornbeam.constraints`: projections of weights after each step."""

from hornbeam.constraints.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from hornbeam.saving.lookup import make_registry_functions

# The older names; they are the same classes.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

get, serialize, deserialize = make_registry_functions("constraint", "keras.constraints")

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
