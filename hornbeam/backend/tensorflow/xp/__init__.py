"""NumPy's names over TensorFlow: what `backend.xp` is on this backend.

Each function takes and gives tensors, in the dtypes that hornbeam's ops have settled before. It covers what hornbeam
uses, with NumPy's meaning; TensorFlow's own NumPy module widens dtypes and wraps tensors in its own way.
"""

from hornbeam.backend.tensorflow.xp import fft, linalg
from hornbeam.backend.tensorflow.xp.common import finfo
from hornbeam.backend.tensorflow.xp.creating import (
    arange,
    array,
    asarray,
    empty,
    full,
    full_like,
    geomspace,
    kaiser,
    linspace,
    logspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from hornbeam.backend.tensorflow.xp.elementwise import *
from hornbeam.backend.tensorflow.xp.mapping import vectorize
from hornbeam.backend.tensorflow.xp.ordering import *
from hornbeam.backend.tensorflow.xp.padding import pad
from hornbeam.backend.tensorflow.xp.products import *
from hornbeam.backend.tensorflow.xp.reducing import *
from hornbeam.backend.tensorflow.xp.shaping import *
