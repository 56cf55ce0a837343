"""Calls of the functions on bounding boxes, for which Keras's answers are recorded beside this file."""

from __future__ import annotations

from typing import Any

import numpy as np

BOXES = np.array([[1, 2, 5, 8], [3, 3, 4, 6]], "float32")
OTHERS = np.array([[2, 2, 6, 7], [-1, -1, -1, -1], [10, 10, 12, 12]], "float32")
ANCHORS = np.array([[1, 1, 5, 6], [2, 4, 4, 9]], "float32")
DELTAS = np.array([[0.1, 0.2, 0.3, 0.4], [0, 0, 0, 0.0]], "float32")
STRANGE = np.array(
    [[-2, 1, 30, 8], [3, 3, 3, 6], [25, 2, 30, 4], [3, 3, 8, 6], [-1, -1, -1, -1], [5, 6, 3, 7]], "float32"
)
FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
SIZE = {"height": 10, "width": 20}
SHAPE = (10, 20, 3)
VARIANCE = [0.1, 0.1, 0.2, 0.2]


def _one(value: float) -> np.ndarray:
    return np.array([value], "float32")


def _affine(**given: float) -> dict[str, Any]:
    values = {"angle": 0.0, "translate_x": 0.0, "translate_y": 0.0, "scale": 1.0, "shear_x": 0.0, "shear_y": 0.0}
    return {**{name: _one(value) for name, value in {**values, **given}.items()}, **SIZE}


# name: the function, its arguments, its keyword arguments
CASES: dict[str, tuple[str, tuple, dict[str, Any]]] = {
    **{f"{one} to {other}": ("convert_format", (BOXES, one, other), SIZE) for one in FORMATS for other in FORMATS},
    "without size": ("convert_format", (BOXES, "xywh", "center_yxhw"), {}),
    "half precision": ("convert_format", (BOXES, "xyxy", "xywh"), {"dtype": "float16"}),
    "integers": ("convert_format", (BOXES.astype("int32"), "xyxy", "xywh"), {}),
    "one box": ("convert_format", (BOXES[0], "xyxy", "yxyx"), {}),
    "dict": ("convert_format", ({"boxes": BOXES, "labels": np.array([1.0, 2.0])}, "xyxy", "xywh"), {}),
    "clip": ("clip_to_image_size", ({"boxes": STRANGE, "labels": np.arange(6.0)},), SIZE),
    "clip batch": ("clip_to_image_size", ({"boxes": STRANGE[None], "labels": np.arange(6.0)[None]},), SIZE),
    "clip relative": (
        "clip_to_image_size", ({"boxes": STRANGE / 10, "labels": np.arange(6.0)},), {"bounding_box_format": "rel_xyxy"},
    ),
    "crop": ("crop", (BOXES,), {"top": 1, "left": 2, "height": 4, "width": 5}),
    "pad": ("pad", (BOXES,), {"top": 1, "left": 2, "height": 20, "width": 30}),
    **{
        f"affine {sorted(given)}": ("affine_transform", (BOXES[None],), _affine(**given))
        for given in (
            {"angle": 30.0}, {"translate_x": 3.0, "translate_y": 1.0}, {"scale": 2.0}, {"shear_x": 20.0},
            {"shear_y": 10.0}, {"angle": 30.0, "center_x": 2.0, "center_y": 3.0},
            {"angle": 30.0, "translate_x": 0.3, "translate_y": 0.1, "scale": 1.5, "shear_x": 20.0, "shear_y": 10.0},
        )
    },
    "iou": ("compute_iou", (BOXES, OTHERS, "xyxy"), {}),
    "iou, masked": ("compute_iou", (BOXES, OTHERS, "xyxy"), {"use_masking": True}),
    "iou, batch": ("compute_iou", (BOXES[None], OTHERS[None], "xywh"), {}),
    "iou, batch and not": ("compute_iou", (BOXES[None], OTHERS, "center_xywh"), {}),
    "iou, relative": ("compute_iou", (BOXES / 10, OTHERS / 10, "rel_xyxy"), {"image_shape": SHAPE}),
    "ciou": ("compute_ciou", (BOXES, OTHERS[[0, 2]], "xyxy"), {}),
    "ciou, xywh": ("compute_ciou", (BOXES, OTHERS[[0, 2]], "xywh"), {}),
    "encode": ("encode_box_to_deltas", (ANCHORS, BOXES, "xyxy", "xyxy"), {}),
    "encode, variance": ("encode_box_to_deltas", (ANCHORS, BOXES, "xyxy", "xywh"), {"variance": VARIANCE}),
    "encode, other order": ("encode_box_to_deltas", (ANCHORS, BOXES, "xyxy", "xyxy", "center_xywh"), {}),
    "encode, batch": ("encode_box_to_deltas", (ANCHORS, np.stack([BOXES, BOXES + 1]), "xyxy", "xyxy"), {}),
    "encode, relative": (
        "encode_box_to_deltas", (ANCHORS, BOXES / 10, "xyxy", "rel_xyxy"), {"image_shape": SHAPE},
    ),
    "decode": ("decode_deltas_to_boxes", (ANCHORS, DELTAS, "xyxy", "xyxy"), {}),
    "decode, variance": ("decode_deltas_to_boxes", (ANCHORS, DELTAS, "xyxy", "xywh"), {"variance": VARIANCE}),
    "decode, other order": ("decode_deltas_to_boxes", (ANCHORS, DELTAS, "xyxy", "xyxy", "center_xywh"), {}),
    "decode, relative": (
        "decode_deltas_to_boxes", (ANCHORS, DELTAS, "xyxy", "rel_xyxy"), {"image_shape": SHAPE},
    ),
    "decode, levels": ("decode_deltas_to_boxes", ({"a": ANCHORS}, {"a": DELTAS}, "xyxy", "xyxy"), {}),
    "decode, batch": ("decode_deltas_to_boxes", (ANCHORS, DELTAS[None], "xyxy", "xyxy"), {}),
}
