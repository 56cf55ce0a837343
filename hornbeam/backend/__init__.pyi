"""`hornbeam.backend` for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam._config import (
    epsilon as epsilon,
    floatx as floatx,
    image_data_format as image_data_format,
    set_epsilon as set_epsilon,
    set_floatx as set_floatx,
    set_image_data_format as set_image_data_format,
)
from hornbeam.backend.base import (
    Backend as Backend,
    Struct as Struct,
)
from hornbeam.config import backend as backend
from hornbeam.dtypes import (
    result_type as result_type,
    standardize_dtype as standardize_dtype,
)
from hornbeam.scope import get_uid as get_uid
from hornbeam.utils.session import (
    clear_session as clear_session,
    is_float_dtype as is_float_dtype,
    is_int_dtype as is_int_dtype,
    is_keras_tensor as is_keras_tensor,
)

active: Backend
