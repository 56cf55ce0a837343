"""`utils.bounding_boxes` gives what Keras gives, as record_boxes.py wrote it down, and refuses what makes no sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam.backend import active as backend
from hornbeam.utils import bounding_boxes
from tests.utils.box_cases import ANCHORS, BOXES, CASES, DELTAS

ORACLE: dict[str, Any] = json.loads(Path(__file__).with_name("oracle_boxes.json").read_text())


def check(found: Any, wanted: Any) -> None:
    if isinstance(wanted, dict):
        assert set(found) == set(wanted)
        for key, one in wanted.items():
            check(found[key], one)
        return
    shape, dtype, values = wanted
    array = np.asarray(backend.to_numpy(found) if backend.is_array(found) else found)
    assert list(array.shape) == shape
    if array.dtype != np.float64:  # labels come as they were given
        assert array.dtype.name == dtype
    np.testing.assert_allclose(array.ravel(), values, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("name", CASES)
def test_as_in_keras(name: str) -> None:
    function, args, kwargs = CASES[name]
    check(getattr(bounding_boxes, function)(*args, **kwargs), ORACLE[name])


def test_relative_pairs_and_numbers() -> None:
    """Where Keras itself fails: relative boxes in `compute_ciou`, sizes for each image, plain numbers."""
    whole = bounding_boxes.compute_ciou(BOXES, ANCHORS, "xyxy")
    parts = BOXES / [20, 10, 20, 10], ANCHORS / [20, 10, 20, 10]
    found = bounding_boxes.compute_ciou(*parts, "rel_xyxy", image_shape=(10, 20, 3))
    np.testing.assert_allclose(backend.to_numpy(found), backend.to_numpy(whole), atol=1e-5)
    sizes = {"height": np.array([10.0, 20.0], "float32"), "width": np.array([20.0, 5.0], "float32")}
    both = backend.to_numpy(bounding_boxes.convert_format(np.stack([BOXES, BOXES]), "xyxy", "rel_xyxy", **sizes))
    np.testing.assert_allclose(both, [BOXES / [20, 10, 20, 10], BOXES / [5, 20, 5, 20]], rtol=1e-6)
    moved = bounding_boxes.affine_transform(BOXES[None], 30.0, 0, 0, 1, 0, 0, height=10, width=20)
    check(moved, ORACLE["affine ['angle']"])


def test_deltas_there_and_back() -> None:
    deltas = bounding_boxes.encode_box_to_deltas(ANCHORS, BOXES, "xyxy", "xyxy", variance=[0.1, 0.2, 0.3, 0.4])
    boxes = bounding_boxes.decode_deltas_to_boxes(ANCHORS, deltas, "xyxy", "xyxy", variance=[0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(backend.to_numpy(boxes), BOXES, atol=1e-5)


def test_bad_input() -> None:
    for call, word in (
        (lambda: bounding_boxes.convert_format(BOXES, "xyxx", "xyxy"), "xyxy"),
        (lambda: bounding_boxes.convert_format(BOXES, "xyxy", "rel_xyxy"), "height"),
        (lambda: bounding_boxes.convert_format(BOXES[:, :3], "xyxy", "xywh"), "four numbers"),
        (lambda: bounding_boxes.clip_to_image_size({"boxes": BOXES, "labels": np.ones(2)}), "width"),
        (lambda: bounding_boxes.crop(BOXES, 0, 0, 1, 1, "xywh"), "xyxy"),
        (lambda: bounding_boxes.affine_transform(BOXES, 1, 0, 0, 1, 0, 0, 2, 2), "batch"),
        (lambda: bounding_boxes.compute_iou(BOXES, BOXES, "rel_xyxy"), "image_shape"),
        (lambda: bounding_boxes.compute_iou(BOXES[0], BOXES, "xyxy"), "batch"),
        (lambda: bounding_boxes.encode_box_to_deltas(ANCHORS, BOXES, "xyxy", "xyxy", variance=[1.0]), "variance"),
        (lambda: bounding_boxes.decode_deltas_to_boxes({"a": ANCHORS}, {"b": DELTAS}, "xyxy", "xyxy"), "keys"),
    ):
        with pytest.raises(ValueError, match=word):
            call()
