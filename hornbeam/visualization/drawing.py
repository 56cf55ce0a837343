"""Bounding boxes and segmentation masks drawn onto images, as NumPy arrays; knows no figures."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np

from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, MissingDependencyError, describe
from hornbeam.ops.bounding_boxes import convert_format


def as_host(value: Any) -> np.ndarray:
    """A tensor of any library as a NumPy array."""
    return np.asarray(backend.to_numpy(value) if backend.is_array(value) else value)


def as_pictures(images: Any, value_range: tuple[float, float], data_format: str | None, where: str) -> np.ndarray:
    """A batch of images as bytes `[batch, height, width, 3]`; grey ones get three channels.

    Raises:
        ValueError: For another rank or number of channels.
    """
    array = as_host(images)
    if array.ndim != 4:
        raise ArgumentError("a batch of images, of rank 4", f"shape={array.shape}", where, "Add an axis for the batch.")
    if standardize_data_format(data_format) == "channels_first":
        array = np.moveaxis(array, 1, -1)
    if array.shape[-1] not in (1, 3):
        raise ArgumentError("images of one or three channels", f"{array.shape[-1]}", where)
    low, high = value_range
    if (low, high) != (0, 255):
        array = (array.astype("float64") - low) * (255 / (high - low))
    if array.dtype != np.uint8:
        array = np.clip(np.round(array.astype("float64")), 0, 255).astype("uint8")
    return np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array.copy()


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: dict[str, Any],
    bounding_box_format: str,
    class_mapping: dict[int, str] | None = None,
    color: Any = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with boxes drawn on them, and with the names of their classes and how sure one is of them.

    Args:
        images: `[batch, height, width, channels]` with values from 0 to 255.
        bounding_boxes: A dict of "boxes" `[batch, boxes, 4]`, "labels" `[batch, boxes]`, and perhaps "confidences"
            `[batch, boxes]`. Boxes with the label -1 are left out.
        bounding_box_format: Their format, see `keras.utils.bounding_boxes.convert_format`.
        class_mapping: The names of the classes by number; without it no names are written.
        color: Red, green and blue of the lines, from 0 to 255.
        line_thickness: Of the lines, in pixels.
        text_thickness: Of the letters' strokes, in pixels.
        font_scale: 1 for letters about ten pixels high.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Returns:
        A uint8 array `[batch, height, width, 3]`.

    Raises:
        ValueError: For another rank, or boxes without labels.
        TypeError: For boxes that are no dict.
        ImportError: Without pillow, where names are to be written.

    >>> import numpy as np, hornbeam as keras
    >>> boxes = {"boxes": np.array([[[2.0, 2.0, 8.0, 6.0]]]), "labels": np.array([[0]])}
    >>> drawn = keras.visualization.draw_bounding_boxes(np.zeros((1, 10, 10, 3)), boxes, "xyxy", line_thickness=1)
    >>> drawn[0, 2, 1:10, 0].tolist()
    [0, 128, 128, 128, 128, 128, 128, 128, 0]
    """
    where = "draw_bounding_boxes"
    pictures = as_pictures(images, (0, 255), data_format, where)
    if not isinstance(bounding_boxes, dict):
        raise ArgumentTypeError('a dict of "boxes" and "labels"', describe(bounding_boxes), where)
    if not {"boxes", "labels"} <= set(bounding_boxes):
        raise ArgumentError('a dict of "boxes" and "labels"', f"the keys {sorted(bounding_boxes)}", where)
    height, width = pictures.shape[1:3]
    boxes = as_host(
        convert_format(as_host(bounding_boxes["boxes"]), bounding_box_format, "xyxy", height=height, width=width)
    )
    labels = as_host(bounding_boxes["labels"])
    confidences = as_host(bounding_boxes["confidences"]) if "confidences" in bounding_boxes else None
    if boxes.ndim != 3 or labels.shape != boxes.shape[:2] or len(boxes) != len(pictures):
        raise ArgumentError(
            f"boxes [{len(pictures)}, boxes, 4] and labels [{len(pictures)}, boxes]",
            f"{boxes.shape} and {labels.shape}", where,
        )
    for number, picture in enumerate(pictures):
        for place, (box, label) in enumerate(zip(np.round(boxes[number]).astype(int), labels[number], strict=True)):
            if label == -1:
                continue
            _rectangle(picture, box, color, line_thickness)
            if class_mapping is not None:
                text = str(class_mapping.get(int(label), int(label)))
                if confidences is not None:
                    text += f" {float(confidences[number, place]):.2f}"
                _write(picture, text, box[0], box[1], color, text_thickness, font_scale)
    return pictures


def _rectangle(picture: np.ndarray, box: np.ndarray, color: Any, thickness: int) -> None:
    """The border of a box, half of it inside and half outside."""
    height, width = picture.shape[:2]
    outside, inside = thickness // 2, thickness - thickness // 2
    left, top, right, bottom = (int(one) for one in box)
    for rows, columns in (
        ((top - outside, top + inside), (left - outside, right + inside)),
        ((bottom - outside, bottom + inside), (left - outside, right + inside)),
        ((top - outside, bottom + inside), (left - outside, left + inside)),
        ((top - outside, bottom + inside), (right - outside, right + inside)),
    ):
        first, last = (int(np.clip(one, 0, height)) for one in rows)
        start, end = (int(np.clip(one, 0, width)) for one in columns)
        picture[first:last, start:end] = color


def _write(picture: np.ndarray, text: str, x: int, y: int, color: Any, thickness: int, scale: float) -> None:
    """A line of text above a place, or below it where there is no room above."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise MissingDependencyError("pillow", "names on images", "data") from None
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(6.0, 10.0 * scale))
    stroke = max(thickness - 1, 0)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font, stroke_width=stroke)
    start = int(np.clip(x, 0, max(picture.shape[1] - (right - left), 0)))
    line = y - bottom - 2 if y - (bottom - top) - 3 >= 0 else y + 2
    draw.text(
        (start - left, line), text, fill=tuple(int(one) for one in color), font=font, stroke_width=stroke
    )
    picture[...] = np.asarray(image)


def palette(count: int) -> dict[int, tuple[int, int, int]]:
    """Colours that are easy to tell apart by class number; the first, often the background, is black."""
    colours = {0: (0, 0, 0)}
    for number in range(1, count):
        hue = (number * 0.618034) % 1.0  # the golden ratio never comes near a hue again
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, 0.95 if number % 2 else 0.7)
        colours[number] = (round(red * 255), round(green * 255), round(blue * 255))
    return colours


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: dict[int, Any] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images on which each class of a segmentation has a colour.

    Args:
        images: `[batch, height, width, channels]` with values from 0 to 255.
        segmentation_masks: Numbers of classes `[batch, height, width, 1]` or `[batch, height, width]`.
        num_classes: The number of classes; as many as there are in the masks if None.
        color_mapping: Red, green and blue by class number; classes that it lacks are not drawn. None chooses colours.
        alpha: How much the colours cover, from 0 to 1.
        blend: Whether the image shines through; if not, colours cover it.
        ignore_index: The number of pixels to leave as they are.
        data_format: "channels_last", "channels_first", or None for the default of the settings; of images and masks.

    Returns:
        A uint8 array `[batch, height, width, 3]`.

    Raises:
        ValueError: If shapes do not fit, or alpha is out of range.

    >>> import numpy as np, hornbeam as keras
    >>> mask = np.array([[[0, 1], [1, -1]]])
    >>> drawn = keras.visualization.draw_segmentation_masks(
    ...     np.zeros((1, 2, 2, 3)), mask, color_mapping={1: (100, 0, 0)}, alpha=0.5)
    >>> drawn[0, :, :, 0].tolist()
    [[0, 50], [50, 0]]
    """
    where = "draw_segmentation_masks"
    pictures = as_pictures(images, (0, 255), data_format, where)
    masks = as_host(segmentation_masks)
    if masks.ndim == 4:
        axis = 1 if standardize_data_format(data_format) == "channels_first" else -1
        if masks.shape[axis] != 1:
            raise ArgumentError("masks of one channel", f"shape={masks.shape}", where, "Take the argmax over classes.")
        masks = np.squeeze(masks, axis=axis)
    if masks.shape != pictures.shape[:3]:
        raise ArgumentError(f"masks of shape={pictures.shape[:3]}", f"shape={masks.shape}", where)
    if not 0 <= alpha <= 1:
        raise ArgumentError("an alpha from 0 to 1", repr(alpha), where)
    masks = masks.astype(int)
    if color_mapping is None:
        count = int(masks.max(initial=0)) + 1 if num_classes is None else num_classes
        color_mapping = palette(count)
    share = alpha if blend else 1.0
    for number, color in color_mapping.items():
        if number == ignore_index:
            continue
        covered = masks == number
        mixed = (1 - share) * pictures[covered] + share * np.asarray(color, float)
        pictures[covered] = np.round(mixed).astype("uint8")
    return pictures
