"""`hornbeam.regularizers`: penalties on weights and activations."""

from hornbeam.regularizers.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from hornbeam.saving.lookup import make_registry_functions

# The older names; they are the same classes.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

get, serialize, deserialize = make_registry_functions("regularizer", "keras.regularizers", aliases={"l1_l2": L1L2})

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
