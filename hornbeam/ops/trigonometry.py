"""Angles and hyperbolic functions, element by element."""

from __future__ import annotations

import math

from hornbeam.backend import active as backend
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_floats, broadcast_float, like_float, op
from hornbeam.ops.rules import cast_to, half_as_single, like_real_float

xp = backend.xp


@op("keras.src.ops.numpy.Sin", spec=like_float)
def sin(x: TensorLike) -> Tensor:
    """Sine of each element.

    Args:
        x: Angles in radians; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sin([0.0])).tolist()
    [0.0]
    """
    return xp.sin(as_float(x))


@op("keras.src.ops.numpy.Cos", spec=like_float)
def cos(x: TensorLike) -> Tensor:
    """Cosine of each element.

    Args:
        x: Angles in radians; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cos([0.0])).tolist()
    [1.0]
    """
    return xp.cos(as_float(x))


@op("keras.src.ops.numpy.Tan", spec=like_float)
def tan(x: TensorLike) -> Tensor:
    """Tangent of each element.

    Args:
        x: Angles in radians; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.tan([0.0])).tolist()
    [0.0]
    """
    return xp.tan(as_float(x))


@op("keras.src.ops.numpy.Arcsin", spec=like_float)
def arcsin(x: TensorLike) -> Tensor:
    """Angle whose sine each element is, in [-pi/2, pi/2]; NaN outside [-1, 1].

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arcsin([0.0])).tolist()
    [0.0]
    """
    return xp.arcsin(as_float(x))


@op("keras.src.ops.numpy.Arccos", spec=like_float)
def arccos(x: TensorLike) -> Tensor:
    """Angle whose cosine each element is, in [0, pi]; NaN outside [-1, 1].

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arccos([1.0])).tolist()
    [0.0]
    """
    return xp.arccos(as_float(x))


@op("keras.src.ops.numpy.Arctan", spec=like_float)
def arctan(x: TensorLike) -> Tensor:
    """Angle whose tangent each element is, in [-pi/2, pi/2].

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arctan([0.0])).tolist()
    [0.0]
    """
    return xp.arctan(as_float(x))


@op("keras.src.ops.numpy.Sinh", spec=like_float)
def sinh(x: TensorLike) -> Tensor:
    """Hyperbolic sine of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sinh([0.0])).tolist()
    [0.0]
    """
    return xp.sinh(as_float(x))


@op("keras.src.ops.numpy.Cosh", spec=like_float)
def cosh(x: TensorLike) -> Tensor:
    """Hyperbolic cosine of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cosh([0.0])).tolist()
    [1.0]
    """
    return xp.cosh(as_float(x))


@op("keras.src.ops.numpy.Tanh", spec=like_float)
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.tanh([0.0])).tolist()
    [0.0]
    """
    return xp.tanh(as_float(x))


@op("keras.src.ops.numpy.Arcsinh", spec=like_float)
def arcsinh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic sine of each element.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arcsinh([0.0])).tolist()
    [0.0]
    """
    return xp.arcsinh(as_float(x))


@op("keras.src.ops.numpy.Arccosh", spec=like_float)
def arccosh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic cosine of each element; NaN below 1.

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arccosh([1.0])).tolist()
    [0.0]
    """
    return xp.arccosh(as_float(x))


@op("keras.src.ops.numpy.Arctanh", spec=like_float)
def arctanh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic tangent of each element; NaN outside [-1, 1].

    Args:
        x: A real or complex tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arctanh([0.0])).tolist()
    [0.0]
    """
    return xp.arctanh(as_float(x))


@op("keras.src.ops.numpy.Arctan2", spec=broadcast_float)
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Angle of the point (x2, x1), in [-pi, pi]: the arc tangent of x1/x2 that knows the quadrant.

    Args:
        x1: Ordinates.
        x2: Abscissas; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.arctan2([0.0], [1.0])).tolist()
    [0.0]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.arctan2(x1, x2)


@op("keras.src.ops.numpy.Hypot", spec=broadcast_float)
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Length of the hypotenuse, sqrt(x1**2 + x2**2), without overflow.

    Args:
        x1: First tensor.
        x2: Second tensor; the shapes broadcast, the dtypes are promoted and made float.

    Returns:
        A float tensor of the common shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.hypot([3.0], [4.0])).tolist()
    [5.0]
    """
    x1, x2 = as_floats(x1, x2)
    return xp.hypot(x1, x2)


@op("keras.src.ops.numpy.Deg2rad", spec=like_float)
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.deg2rad([0.0])).tolist()
    [0.0]
    """
    return xp.deg2rad(as_float(x))


@op("keras.src.ops.numpy.Rad2deg", spec=like_float)
def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.rad2deg([0.0])).tolist()
    [0.0]
    """
    return xp.rad2deg(as_float(x))


@op("keras.src.ops.numpy.Sinc", spec=like_float)
def sinc(x: TensorLike) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        A float tensor of the same shape.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.sinc([0.0])).tolist()
    [1.0]
    """
    x = as_float(x)
    return cast_to(xp.sinc(*half_as_single(x)), backend.dtype(x))


@op("keras.src.ops.numpy.Angle", spec=like_real_float)
def angle(x: TensorLike) -> Tensor:
    """Angle of each complex number in the plane; of a real one, 0 or pi.

    Args:
        x: Any tensor; integers and bools become the default float type.

    Returns:
        Angles in radians, real.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.ops.angle([2.0])).tolist()
    [0.0]
    """
    x = as_float(x)
    if backend.dtype(x).startswith("complex"):
        return xp.angle(x)
    flat = xp.where(xp.less(x, xp.zeros_like(x)), xp.full_like(x, math.pi), xp.zeros_like(x))
    return xp.where(xp.isnan(x), x, flat)
