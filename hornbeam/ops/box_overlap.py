"""How much bounding boxes overlap, and boxes as differences from anchors, as detectors learn them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.ops.bounding_boxes import check_format, convert_format
from hornbeam.ops.define import Tensor, TensorLike, as_tensor

xp = backend.xp


def _converted(boxes: TensorLike, source: str, target: str, image_shape: Any, where: str) -> Tensor:
    if source.startswith("rel_") or target.startswith("rel_"):
        if image_shape is None or len(image_shape) not in (2, 3):
            raise ArgumentError(
                "`image_shape`, height and width and perhaps channels, with relative boxes", f"{image_shape!r}", where
            )
        return convert_format(boxes, source, target, height=image_shape[0], width=image_shape[1])
    return convert_format(boxes, source, target)


def _sides(boxes: Tensor) -> tuple[Any, Any, Any, Any]:
    return boxes[..., 0], boxes[..., 1], boxes[..., 2], boxes[..., 3]


def _common(first: Any, second: Any) -> Any:
    """The area that boxes given by their sides share."""
    wide = xp.minimum(first[2], second[2]) - xp.maximum(first[0], second[0])
    tall = xp.minimum(first[3], second[3]) - xp.maximum(first[1], second[1])
    return xp.maximum(wide, 0) * xp.maximum(tall, 0)


def _area(sides: Any) -> Any:
    return (sides[2] - sides[0]) * (sides[3] - sides[1])


def compute_iou(
    boxes1: TensorLike,
    boxes2: TensorLike,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Tensor:
    """Intersection over union of each box with each other one; 1 where they are equal, 0 where they are apart.

    Args:
        boxes1: `[n, 4]` or `[batch, n, 4]`.
        boxes2: `[m, 4]` or `[batch, m, 4]`.
        bounding_box_format: The format of both, see `convert_format`.
        use_masking: Whether pairs with a box of padding, whose numbers are all `mask_val`, get `mask_val`.
        mask_val: The number that padding consists of.
        image_shape: Height and width of the image, for relative formats.

    Returns:
        A tensor `[n, m]` or `[batch, n, m]`.

    Raises:
        ValueError: For an unknown format, or shapes that do not fit.

    >>> import hornbeam as keras
    >>> iou = keras.utils.bounding_boxes.compute_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy")
    >>> round(float(iou[0, 0]), 3)
    0.333
    """
    kind = check_format(bounding_box_format, "compute_iou")
    first, second = (as_tensor(one) for one in (boxes1, boxes2))
    if not {len(first.shape), len(second.shape)} <= {2, 3}:
        raise ArgumentError(
            "boxes of shape [n, 4] or [batch, n, 4]", f"{tuple(first.shape)} and {tuple(second.shape)}", "compute_iou"
        )
    padding = [xp.all(one == mask_val, axis=-1) for one in (first, second)]
    target = "rel_yxyx" if kind.startswith("rel_") else "yxyx"
    first, second = (_converted(one, kind, target, image_shape, "compute_iou") for one in (first, second))
    rows = [one[..., :, None] for one in _sides(first)]
    columns = [one[..., None, :] for one in _sides(second)]
    common = _common(rows, columns)
    union = _area(rows) + _area(columns) - common
    result = xp.where(union > 0, common / xp.where(union > 0, union, 1), 0)
    if use_masking:
        padded = padding[0][..., :, None] | padding[1][..., None, :]
        result = xp.where(padded, mask_val, result)
    return result


def compute_ciou(
    boxes1: TensorLike, boxes2: TensorLike, bounding_box_format: str, image_shape: Any = None
) -> Tensor:
    """Complete intersection over union of pairs: less where centres are far apart or shapes differ.

    Z. Zheng et al., "Distance-IoU loss: faster and better learning for bounding box regression", 2020.

    Args:
        boxes1: `[..., 4]`.
        boxes2: `[..., 4]`, the partners.
        bounding_box_format: The format of both, see `convert_format`.
        image_shape: Height and width of the image, for relative formats.

    Returns:
        A tensor `[...]` of numbers between -2 and 1.

    Raises:
        ValueError: For an unknown format.

    >>> import hornbeam as keras
    >>> round(float(keras.utils.bounding_boxes.compute_ciou([[0, 0, 2, 2]], [[0, 0, 2, 2]], "xyxy")[0]), 3)
    1.0
    """
    kind = check_format(bounding_box_format, "compute_ciou")
    first, second = (
        _sides(_converted(one, kind, "xyxy", image_shape, "compute_ciou")) for one in (boxes1, boxes2)
    )
    tiny = 1e-7
    common = _common(first, second)
    iou = common / (_area(first) + _area(second) - common + tiny)
    wide = xp.maximum(first[2], second[2]) - xp.minimum(first[0], second[0])
    tall = xp.maximum(first[3], second[3]) - xp.minimum(first[1], second[1])
    across, down = (first[i] + first[i + 2] - second[i] - second[i + 2] for i in (0, 1))
    apart = (across**2 + down**2) / 4
    slopes = [xp.arctan((one[2] - one[0]) / (one[3] - one[1] + tiny)) for one in (first, second)]
    unlike = 4 / math.pi**2 * (slopes[1] - slopes[0]) ** 2
    weight = unlike / (unlike - iou + 1 + tiny)
    return iou - apart / (wide**2 + tall**2 + tiny) - unlike * weight


def _variance(value: Any, where: str) -> Any:
    numbers = np.asarray(value, "float32")
    if numbers.shape != (4,):
        raise ArgumentError("`variance` of four numbers", f"{value!r}", where)
    return backend.asarray(numbers)


def _encoded_format(name: Any, where: str) -> str:
    return check_format(name, where, ("center_xywh", "center_yxhw"))


def encode_box_to_deltas(
    anchors: TensorLike,
    boxes: TensorLike,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Tensor:
    """Boxes as differences from anchors: of centres in sizes of the anchor, and logarithms of the ratios of sizes.

    S. Ren et al., "Faster R-CNN", 2015.

    Args:
        anchors: `[anchors, 4]` or `[batch, anchors, 4]`.
        boxes: `[anchors, 4]` or `[batch, anchors, 4]`: a box for each anchor.
        anchor_format: The format of the anchors, see `convert_format`.
        box_format: The format of the boxes.
        encoding_format: "center_yxhw" or "center_xywh": the order of the differences.
        variance: Four numbers by which the differences are divided.
        image_shape: Height and width of the image, for relative formats.

    Returns:
        A tensor of the shape of `boxes`.

    Raises:
        ValueError: For an unknown format, or another number of variances than four.

    >>> import hornbeam as keras
    >>> deltas = keras.utils.bounding_boxes.encode_box_to_deltas(
    ...     [[0, 0, 2, 2]], [[1, 0, 3, 2]], anchor_format="xyxy", box_format="xyxy")
    >>> keras.ops.convert_to_numpy(deltas).tolist()
    [[0.0, 0.5, 0.0, 0.0]]
    """
    where = "encode_box_to_deltas"
    target = _encoded_format(encoding_format, where)
    anchors = _converted(anchors, check_format(anchor_format, where), target, image_shape, where)
    boxes = _converted(boxes, check_format(box_format, where), target, image_shape, where)
    deltas = xp.concatenate(
        [
            (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:],
            xp.broadcast_to(xp.log(boxes[..., 2:] / anchors[..., 2:]), boxes[..., 2:].shape),
        ],
        axis=-1,
    )
    return deltas if variance is None else deltas / _variance(variance, where)


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes whose differences from anchors these are: the inverse of `encode_box_to_deltas`.

    Args:
        anchors: `[anchors, 4]` or `[batch, anchors, 4]`; or a dict of them by level.
        boxes_delta: The differences, likewise.
        anchor_format: The format of the anchors, see `convert_format`.
        box_format: The format of the result.
        encoded_format: "center_yxhw" or "center_xywh": the order of the differences.
        variance: Four numbers that the differences were divided by.
        image_shape: Height and width of the image, for relative formats.

    Returns:
        A tensor of the shape of `boxes_delta`, or a dict of them.

    Raises:
        ValueError: For an unknown format, or another number of variances than four.

    >>> import hornbeam as keras
    >>> boxes = keras.utils.bounding_boxes.decode_deltas_to_boxes(
    ...     [[0, 0, 2, 2]], [[0.0, 0.5, 0.0, 0.0]], anchor_format="xyxy", box_format="xyxy")
    >>> keras.ops.convert_to_numpy(boxes).tolist()
    [[1.0, 0.0, 3.0, 2.0]]
    """
    where = "decode_deltas_to_boxes"
    if isinstance(anchors, dict):
        if not isinstance(boxes_delta, dict) or set(anchors) != set(boxes_delta):
            raise ArgumentError(f"differences by the keys of the anchors, {sorted(anchors)}", f"{boxes_delta!r}", where)
        return {
            level: decode_deltas_to_boxes(
                anchors[level], delta, anchor_format, box_format, encoded_format, variance, image_shape
            )
            for level, delta in boxes_delta.items()
        }
    source = _encoded_format(encoded_format, where)
    anchors = _converted(anchors, check_format(anchor_format, where), source, image_shape, where)
    deltas = backend.cast(as_tensor(boxes_delta), backend.dtype(anchors))
    if variance is not None:
        deltas = deltas * _variance(variance, where)
    boxes = xp.concatenate(
        [deltas[..., :2] * anchors[..., 2:] + anchors[..., :2], xp.exp(deltas[..., 2:]) * anchors[..., 2:]], axis=-1
    )
    return _converted(boxes, source, check_format(box_format, where), image_shape, where)
