"""Bounding boxes: their formats, and boxes of images that are clipped, cropped, padded or mapped affinely.

The face of `keras.utils.bounding_boxes`, with what `box_overlap.py` holds.
"""

from __future__ import annotations

import math
from typing import Any

from hornbeam import dtypes
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.ops.define import Tensor, TensorLike, as_tensor
from hornbeam.ops.resampling import as_working
from hornbeam.symbolic import KerasTensor

xp = backend.xp

# What the four numbers of each format are, of the box and absolute; `rel_` before it makes them parts of the size.
_CORNERS = {"xyxy": (0, 1, 2, 3), "yxyx": (1, 0, 3, 2)}
FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip


def check_format(name: Any, where: str, allowed: tuple[str, ...] = FORMATS) -> str:
    """`name` in lower case, if it is a format of bounding boxes.

    Raises:
        ValueError: If it is not.
    """
    if not isinstance(name, str) or name.lower() not in allowed:
        raise UnknownNameError("bounding box format", name, allowed, where)
    return name.lower()


def _boxes(boxes: TensorLike, where: str) -> Tensor:
    boxes = boxes if isinstance(boxes, KerasTensor) else as_working(as_tensor(boxes))
    if not len(boxes.shape) or boxes.shape[-1] != 4:
        raise ArgumentError("boxes of four numbers, shape=[..., 4]", f"shape={tuple(boxes.shape)}", where)
    return boxes


def _columns(boxes: Tensor) -> tuple[Any, Any, Any, Any]:
    return boxes[..., 0], boxes[..., 1], boxes[..., 2], boxes[..., 3]


def _size(value: Any, like: Tensor) -> Any:
    """A height or width as a factor of boxes `like`; one for each image, if it comes as a tensor."""
    if not hasattr(value, "shape") or not value.shape:
        return float(value) if not hasattr(value, "shape") else backend.cast(as_tensor(value), backend.dtype(like))
    value = backend.cast(as_tensor(value), backend.dtype(like))
    return xp.reshape(value, (-1, *(1,) * (len(like.shape) - 2)))


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Bounding boxes in another format.

    Args:
        boxes: Numbers of shape `[..., 4]`; or a dict with them under "boxes", whose other entries are kept.
        source: The format they have: "xyxy" (left, top, right, bottom), "yxyx", "xywh" (left, top, width, height),
            "center_xywh", "center_yxhw"; or "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh", which are
            parts of the width and height of the image.
        target: The format wanted.
        height: The height of the image in pixels, or one for each image; needed between relative and absolute.
        width: The width, likewise.
        dtype: The dtype of the result.

    Returns:
        A tensor of the shape that came; or a dict of the same keys.

    Raises:
        ValueError: For an unknown format, another last axis than of size 4, or a missing height or width.

    >>> import hornbeam as keras
    >>> boxes = keras.utils.bounding_boxes.convert_format([[1, 2, 5, 8]], source="xyxy", target="xywh")
    >>> keras.ops.convert_to_numpy(boxes).tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    source, target = (check_format(one, "convert_format") for one in (source, target))
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = _boxes(boxes, "convert_format")
    if source.startswith("rel_") != target.startswith("rel_") and (height is None or width is None):
        raise ArgumentError(
            "`height` and `width` between relative and absolute formats",
            f"height={height}, width={width} from {source!r} to {target!r}", "convert_format",
        )
    dtype = dtypes.standardize_dtype(dtype)
    if source != target:
        left, top, right, bottom = _corners(boxes, source.removeprefix("rel_"))
        if source.startswith("rel_") != target.startswith("rel_"):
            tall, wide = _size(height, boxes), _size(width, boxes)
            if source.startswith("rel_"):
                left, top, right, bottom = left * wide, top * tall, right * wide, bottom * tall
            else:
                left, top, right, bottom = left / wide, top / tall, right / wide, bottom / tall
        boxes = xp.stack(_from_corners(left, top, right, bottom, target.removeprefix("rel_")), axis=-1)
    return boxes if backend.dtype(boxes) == dtype else backend.cast(boxes, dtype)


def _corners(boxes: Tensor, source: str) -> tuple[Any, Any, Any, Any]:
    """Left, top, right and bottom of boxes."""
    first = _columns(boxes)
    if source in _CORNERS:
        left, top, right, bottom = (first[place] for place in _CORNERS[source])
        return left, top, right, bottom
    x, y, wide, tall = (first[place] for place in ((1, 0, 3, 2) if source == "center_yxhw" else (0, 1, 2, 3)))
    if source != "xywh":
        x, y = x - wide / 2, y - tall / 2
    return x, y, x + wide, y + tall


def _from_corners(left: Any, top: Any, right: Any, bottom: Any, target: str) -> list[Any]:
    """The four numbers of a format for left, top, right and bottom."""
    if target in _CORNERS:
        corners = (left, top, right, bottom)
        return [corners[place] for place in _CORNERS[target]]
    wide, tall = right - left, bottom - top
    if target == "xywh":
        return [left, top, wide, tall]
    x, y = (left + right) / 2, (top + bottom) / 2
    return [x, y, wide, tall] if target == "center_xywh" else [y, x, tall, wide]


def _in_corners(format: str, where: str) -> str:
    return check_format(format, where, ("xyxy", "rel_xyxy"))


def clip_to_image_size(
    bounding_boxes: dict[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes without what lies beyond the edges of the image; those of which nothing is left get the label -1.

    Args:
        bounding_boxes: A dict with "boxes" `[..., 4]` and "labels" `[...]`.
        height: The height of the image; needed for "xyxy".
        width: The width, likewise.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        A dict of the same keys.

    Raises:
        ValueError: For another format, or without a size.

    >>> import hornbeam as keras
    >>> boxes = {"boxes": keras.ops.array([[-2.0, 1.0, 3.0, 20.0]]), "labels": keras.ops.array([1])}
    >>> clipped = keras.utils.bounding_boxes.clip_to_image_size(boxes, height=10, width=10)
    >>> keras.ops.convert_to_numpy(clipped["boxes"]).tolist()
    [[0.0, 1.0, 3.0, 10.0]]
    """
    kind = _in_corners(bounding_box_format, "clip_to_image_size")
    if kind == "xyxy" and (height is None or width is None):
        raise ArgumentError(
            '`height` and `width` for the format "xyxy"', f"height={height}, width={width}", "clip_to_image_size"
        )
    boxes = _boxes(bounding_boxes["boxes"], "clip_to_image_size")
    labels = as_tensor(bounding_boxes["labels"])
    left, top, right, bottom = _columns(boxes)
    wide, tall = (1.0, 1.0) if kind == "rel_xyxy" else (_size(width, boxes), _size(height, boxes))
    left, right = (xp.clip(one, 0.0, wide) for one in (left, right))
    top, bottom = (xp.clip(one, 0.0, tall) for one in (top, bottom))
    there = (right > left) & (bottom > top)
    gone = xp.full_like(labels, -1)
    return {
        **bounding_boxes,
        "boxes": xp.stack([left, top, right, bottom], axis=-1),
        "labels": xp.where(there, labels, gone),
    }


def _moved(boxes: TensorLike, x: Any, y: Any) -> Tensor:
    boxes = as_tensor(boxes)
    x, y = (backend.cast(one, backend.dtype(boxes)) if backend.is_array(one) else one for one in (x, y))
    left, top, right, bottom = _columns(boxes)
    return xp.stack([left + x, top + y, right + x, bottom + y], axis=-1)


def crop(
    boxes: TensorLike, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes of an image out of which a part was cut: moved to where they lie in it, and cut at its edges.

    Args:
        boxes: `[..., 4]`: left, top, right, bottom.
        top: Where the part begins.
        left: Where it begins, likewise.
        height: The height of the part.
        width: Its width.
        bounding_box_format: "xyxy".

    Returns:
        A tensor of the shape of `boxes`.

    Raises:
        ValueError: For another format.

    >>> import hornbeam as keras
    >>> part = keras.utils.bounding_boxes.crop([[1.0, 2.0, 5.0, 8.0]], top=1, left=2, height=4, width=5)
    >>> keras.ops.convert_to_numpy(part).tolist()
    [[0.0, 1.0, 3.0, 4.0]]
    """
    check_format(bounding_box_format, "bounding_boxes.crop", ("xyxy",))
    x0, y0, x1, y1 = _columns(_moved(_boxes(boxes, "bounding_boxes.crop"), -left, -top))
    return xp.stack(
        [xp.clip(x0, 0, width), xp.clip(y0, 0, height), xp.clip(x1, 0, width), xp.clip(y1, 0, height)], axis=-1
    )


def pad(
    boxes: TensorLike, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes of an image to which edges were added.

    Args:
        boxes: `[..., 4]`: left, top, right, bottom.
        top: How many rows were added above.
        left: How many columns were added to the left.
        height: The height of the whole; absolute boxes do not depend on it.
        width: The width of the whole, likewise.
        bounding_box_format: "xyxy".

    Returns:
        A tensor of the shape of `boxes`.

    Raises:
        ValueError: For another format.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(keras.utils.bounding_boxes.pad([[1.0, 2.0, 5.0, 8.0]], top=1, left=2)).tolist()
    [[3.0, 3.0, 7.0, 9.0]]
    """
    check_format(bounding_box_format, "bounding_boxes.pad", ("xyxy",))
    return _moved(_boxes(boxes, "bounding_boxes.pad"), left, top)


def affine_transform(
    boxes: TensorLike,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: int,
    width: int,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Boxes around what becomes of boxes that are moved, turned, sheared and scaled, in this order.

    Args:
        boxes: `[batch, boxes, 4]`: left, top, right, bottom.
        angle: By how many degrees they are turned, counterclockwise; like the others, one number or one for each
            image `[batch]`.
        translate_x: By which part of `width - 1` they are moved to the right.
        translate_y: By which part of `height - 1` they are moved down.
        scale: The factor by which they grow.
        shear_x: Degrees by which verticals lean.
        shear_y: Degrees by which horizontals lean.
        height: The height of the image.
        width: Its width.
        center_x: What stays in place, as a part of `width - 1`; the middle by default.
        center_y: Likewise, of `height - 1`.
        bounding_box_format: "xyxy".

    Returns:
        A tensor of the shape of `boxes`.

    Raises:
        ValueError: For another format or shape.

    >>> import hornbeam as keras
    >>> turned = keras.utils.bounding_boxes.affine_transform(
    ...     [[[0.0, 0.0, 2.0, 4.0]]], angle=90.0, translate_x=0, translate_y=0, scale=1, shear_x=0, shear_y=0,
    ...     height=5, width=5)
    >>> keras.ops.convert_to_numpy(keras.ops.round(turned)).tolist()
    [[[0.0, 2.0, 4.0, 4.0]]]
    """
    check_format(bounding_box_format, "bounding_boxes.affine_transform", ("xyxy",))
    boxes = _boxes(boxes, "bounding_boxes.affine_transform")
    if len(boxes.shape) != 3:
        raise ArgumentError(
            "boxes of shape [batch, boxes, 4]", f"shape={tuple(boxes.shape)}", "bounding_boxes.affine_transform"
        )

    def number(value: Any) -> Any:
        return xp.reshape(backend.cast(as_tensor(value), backend.dtype(boxes)), (-1, 1, 1))

    angle, shear_x, shear_y = (number(one) * (math.pi / 180) for one in (angle, shear_x, shear_y))
    middle_x = number(0.5 if center_x is None else center_x) * (width - 1)
    middle_y = number(0.5 if center_y is None else center_y) * (height - 1)
    a, b, c, d = xp.cos(angle), xp.sin(angle), -xp.sin(angle), xp.cos(angle)
    lean_x, lean_y = xp.tan(shear_x), xp.tan(shear_y)
    c, d = c + lean_y * a, d + lean_y * b
    # the sign of the first is Keras's, and makes a difference where boxes are both turned and sheared
    a, b = a - lean_x * c, b + lean_x * d
    left, top, right, bottom = _columns(boxes)
    x = xp.stack([left, right, left, right], axis=-1) + number(translate_x) * (width - 1) - middle_x
    y = xp.stack([top, top, bottom, bottom], axis=-1) + number(translate_y) * (height - 1) - middle_y
    scale = number(scale)
    new_x, new_y = scale * (a * x + b * y) + middle_x, scale * (c * x + d * y) + middle_y
    return xp.stack(
        [xp.min(new_x, axis=-1), xp.min(new_y, axis=-1), xp.max(new_x, axis=-1), xp.max(new_y, axis=-1)], axis=-1
    )
