"""Boxes and masks come where they belong, in the colours asked for; galleries are written as pictures."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from hornbeam import visualization
from hornbeam.visualization.drawing import palette

BATCH = np.full((2, 40, 60, 3), 100, "uint8")
BOXES: dict[str, Any] = {
    "boxes": np.array([[[10, 20, 40, 35.0], [-1, -1, -1, -1]], [[5, 12, 50, 30.0], [45, 2, 80, 8]]]),
    "labels": np.array([[1, -1], [0, 1]]),
    "confidences": np.array([[0.9, 0.0], [0.5, 0.25]]),
}
MASK = np.zeros((2, 40, 60, 1), "int32")
MASK[:, 10:20], MASK[:, 20:30], MASK[:, 30:] = 1, 2, -1


def test_boxes_are_lines_of_their_thickness_and_colour() -> None:
    drawn = visualization.draw_bounding_boxes(BATCH, BOXES, "xyxy", color=(1, 2, 3), line_thickness=2)
    assert drawn.dtype == np.uint8 and drawn.shape == BATCH.shape
    painted = (drawn[0] == (1, 2, 3)).all(axis=-1)
    wanted = np.zeros((40, 60), bool)
    wanted[19:36, 9:41] = True
    wanted[21:34, 11:39] = False
    np.testing.assert_array_equal(painted, wanted)  # and nothing for the box labelled -1
    assert (drawn[0][~painted] == 100).all() and (BATCH == 100).all()
    assert (drawn[1, 2, 58:] == (1, 2, 3)).all()  # what lies outside is cut off
    relative = {**BOXES, "boxes": BOXES["boxes"] / [60, 40, 60, 40]}
    np.testing.assert_array_equal(
        visualization.draw_bounding_boxes(BATCH, relative, "rel_xyxy", color=(1, 2, 3))[0], drawn[0]
    )
    first = visualization.draw_bounding_boxes(
        BATCH.transpose(0, 3, 1, 2), BOXES, "xyxy", color=(1, 2, 3), data_format="channels_first"
    )
    np.testing.assert_array_equal(first, drawn)


def test_names_are_written() -> None:
    pytest.importorskip("PIL", reason="names are written by pillow")
    plain = visualization.draw_bounding_boxes(BATCH, BOXES, "xyxy", color=(200, 0, 0))
    named = visualization.draw_bounding_boxes(BATCH, BOXES, "xyxy", {0: "cat", 1: "dog"}, color=(200, 0, 0))
    changed = (named != plain).any(axis=-1)
    assert changed[0, :20].sum() > 20 and not changed[0, 36:].any()  # above the box
    bolder = visualization.draw_bounding_boxes(
        BATCH, BOXES, "xyxy", {0: "cat", 1: "dog"}, color=(200, 0, 0), text_thickness=2, font_scale=1.5
    )
    assert (bolder != plain).any(axis=-1)[0].sum() > changed[0].sum()


def test_masks_mix_colours() -> None:
    colours = {0: (10, 20, 30), 1: (255, 0, 0)}
    drawn = visualization.draw_segmentation_masks(BATCH, MASK, color_mapping=colours, alpha=0.5)
    assert drawn[0, [0, 15, 25, 35], 0].tolist() == [[55, 60, 65], [178, 50, 50], [100] * 3, [100] * 3]
    covered = visualization.draw_segmentation_masks(BATCH, MASK[..., 0], color_mapping=colours, blend=False)
    assert covered[0, [0, 15, 25, 35], 0].tolist() == [[10, 20, 30], [255, 0, 0], [100] * 3, [100] * 3]
    chosen = visualization.draw_segmentation_masks(BATCH, MASK, num_classes=3, ignore_index=1)
    assert chosen[0, [0, 15, 35], 0].tolist() == [[20] * 3, [100] * 3, [100] * 3]
    assert chosen[0, 25, 0].tolist() != [100] * 3
    assert len(set(palette(30).values())) == 30


@pytest.mark.parametrize("legend", [False, True])
def test_galleries_are_pictures(legend: bool) -> None:
    pytest.importorskip("matplotlib", reason="galleries are drawn by matplotlib")
    image = pytest.importorskip("PIL.Image", reason="pictures are read by pillow")

    def size(draw: Any, *args: Any, **kwargs: Any) -> tuple[int, int]:
        target = io.BytesIO()
        assert draw(*args, path=target, **kwargs) is None
        picture = image.open(target)
        array = np.asarray(picture.convert("RGB"))
        assert array.std() > 1  # not an empty page
        return picture.size

    wide = size(visualization.plot_image_gallery, BATCH, rows=1)
    tall = size(visualization.plot_image_gallery, BATCH, cols=1)
    assert wide[0] > 1.5 * wide[1] and tall[0] < tall[1] * 1.1
    labelled = size(
        visualization.plot_image_gallery, BATCH / 255, y_true=[0, 1], y_pred=[0, 0], label_map={0: "cat", 1: "dog"},
        value_range=(0, 1), rows=1,
    )
    assert labelled[1] > wide[1]
    boxes = size(
        visualization.plot_bounding_box_gallery, BATCH, "xyxy", y_true=BOXES, y_pred=BOXES, legend=legend, rows=1,
        class_mapping={0: "cat", 1: "dog"},
    )
    assert boxes[0] > boxes[1]
    size(visualization.plot_segmentation_mask_gallery, BATCH, 3, y_true=MASK, y_pred=MASK)


def test_bad_input() -> None:
    for call, kind, word in (
        (lambda: visualization.draw_bounding_boxes(BATCH[0], BOXES, "xyxy"), ValueError, "rank 4"),
        (lambda: visualization.draw_bounding_boxes(BATCH, BOXES["boxes"], "xyxy"), TypeError, "labels"),
        (lambda: visualization.draw_bounding_boxes(BATCH, {"boxes": BOXES["boxes"]}, "xyxy"), ValueError, "labels"),
        (lambda: visualization.draw_bounding_boxes(BATCH, BOXES, "xyxz"), ValueError, "xyxy"),
        (lambda: visualization.draw_segmentation_masks(BATCH, MASK[:, 1:]), ValueError, "shape"),
        (lambda: visualization.draw_segmentation_masks(BATCH, MASK, alpha=2), ValueError, "alpha"),
        (lambda: visualization.plot_image_gallery(BATCH, path="x.png", show=True), ValueError, "either"),
        (lambda: visualization.plot_image_gallery(BATCH[..., :2], path="x.png"), ValueError, "channels"),
    ):
        with pytest.raises(kind, match=word):
            call()
