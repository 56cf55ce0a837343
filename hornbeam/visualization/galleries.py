"""Figures of many images beside each other, with labels, boxes or masks; matplotlib loads when one is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentError, MissingDependencyError
from hornbeam.visualization.drawing import as_host, as_pictures, draw_bounding_boxes, draw_segmentation_masks

RIGHT, WRONG = "#1a7f37", "#cf222e"


def _grid(count: int, rows: int | None, cols: int | None) -> tuple[int, int]:
    """Rows and columns for `count` images, where at most one of them is given."""
    if rows is None and cols is None:
        cols = math.ceil(math.sqrt(count))
    if rows is None:
        rows = math.ceil(count / max(cols or 1, 1))
    if cols is None:
        cols = math.ceil(count / max(rows, 1))
    return rows, cols


def _label(value: Any, label_map: dict[int, str] | None) -> str:
    value = value.item() if hasattr(value, "item") else value
    return str(value if label_map is None else label_map.get(value, value))


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: dict[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Shows images in rows and columns, or writes them to a file.

    Args:
        images: `[batch, height, width, channels]`, of one or three channels.
        y_true: The numbers of their classes, written below them.
        y_pred: The numbers that were predicted, written in green where they are right and red where not.
        label_map: The names of the classes by number.
        rows: How many rows; as many as columns if neither is given.
        cols: How many columns. What does not fit is left out.
        value_range: The values of black and white.
        scale: The height of an image, in inches.
        path: A file to write to, in place of showing.
        show: Whether to show the figure; by default if there is no path.
        transparent: Whether the file has no background.
        dpi: Pixels per inch.
        legend_handles: Handles of matplotlib for a legend.
        data_format: "channels_last", "channels_first", or None for the default of the settings.

    Raises:
        ValueError: If images have a wrong shape, or both or neither of `path` and `show` are asked for.
        ImportError: Without matplotlib.

    >>> import io, numpy as np, hornbeam as keras
    >>> picture = io.BytesIO()
    >>> keras.visualization.plot_image_gallery(np.zeros((4, 8, 8, 3)), y_true=[0, 1, 1, 0], path=picture)
    >>> picture.getvalue()[1:4]
    b'PNG'
    """
    where = "plot_image_gallery"
    show = path is None if show is None else show
    if show == (path is not None):
        raise ArgumentError("either `path` or `show`", f"path={path!r}, show={show}", where)
    pictures = as_pictures(images, value_range, data_format, where)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "galleries of images", "plot") from None
    rows, cols = _grid(len(pictures), rows, cols)
    labels = [None if one is None else as_host(one) for one in (y_true, y_pred)]
    room = 0.35 * sum(one is not None for one in labels)
    height, width = pictures.shape[1:3]
    size = (cols * scale * width / height, rows * (scale + room))
    if show:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size, dpi=dpi)
    else:  # no window, and nothing of the program's own figures, is touched
        figure = Figure(figsize=size, dpi=dpi)
    for number, picture in enumerate(pictures[: rows * cols]):
        axes = figure.add_subplot(rows, cols, number + 1)
        axes.imshow(picture)
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set_visible(False)
        lines = []
        if labels[0] is not None:
            lines.append(("true: " if labels[1] is not None else "") + _label(labels[0][number], label_map))
        if labels[1] is not None:
            lines.append("predicted: " + _label(labels[1][number], label_map))
        if lines:
            known = labels[0] is not None and labels[1] is not None
            right = known and labels[0][number] == labels[1][number]
            axes.set_xlabel("\n".join(lines), fontsize=9, color="black" if not known else RIGHT if right else WRONG)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center", ncol=len(legend_handles), frameon=False)
    figure.tight_layout(pad=0.4, rect=(0, 0.25 / size[1] if legend_handles is not None else 0, 1, 1))
    if show:
        from matplotlib import pyplot

        pyplot.show()
        pyplot.close(figure)
    else:
        figure.savefig(path, dpi=dpi, transparent=transparent, bbox_inches="tight", pad_inches=0.05)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: dict[str, Any] | None = None,
    y_pred: dict[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: dict[int, str] | None = None,
    ground_truth_mapping: dict[int, str] | None = None,
    prediction_mapping: dict[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Shows images with true and predicted boxes in rows and columns, or writes them to a file.

    Args:
        images: `[batch, height, width, channels]`, of one or three channels.
        bounding_box_format: The format of boxes, see `keras.utils.bounding_boxes.convert_format`.
        y_true: True boxes, as for `draw_bounding_boxes`.
        y_pred: Predicted boxes, likewise.
        value_range: The values of black and white.
        true_color: Red, green and blue of true boxes, from 0 to 255.
        pred_color: Of predicted ones.
        line_thickness: Of the lines, in pixels.
        font_scale: 1 for letters about ten pixels high.
        text_thickness: Of the letters' strokes; 1 if None.
        class_mapping: The names of the classes by number.
        ground_truth_mapping: Those of true boxes, if they differ.
        prediction_mapping: Those of predicted boxes, if they differ.
        legend: Whether a legend says which colour is which.
        legend_handles: Further handles of matplotlib for it.
        rows: How many rows.
        cols: How many columns.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: Further arguments of `plot_image_gallery`, such as `path`.

    Raises:
        ValueError: If shapes do not fit.
        ImportError: Without matplotlib.

    >>> import io, numpy as np, hornbeam as keras
    >>> boxes = {"boxes": np.array([[[2.0, 2.0, 8.0, 6.0]]]), "labels": np.array([[0]])}
    >>> picture = io.BytesIO()
    >>> keras.visualization.plot_bounding_box_gallery(np.zeros((1, 10, 10, 3)), "xyxy", y_true=boxes, path=picture)
    >>> picture.getvalue()[1:4]
    b'PNG'
    """
    pictures = as_pictures(images, value_range, data_format, "plot_bounding_box_gallery")
    for boxes, color, mapping in (
        (y_true, true_color, ground_truth_mapping), (y_pred, pred_color, prediction_mapping),
    ):  # fmt: skip
        if boxes is not None:
            pictures = draw_bounding_boxes(
                pictures, boxes, bounding_box_format, class_mapping=class_mapping if mapping is None else mapping,
                color=color, line_thickness=line_thickness, font_scale=font_scale, data_format="channels_last",
                text_thickness=1 if text_thickness is None else text_thickness,
            )
    if legend:
        try:
            from matplotlib.patches import Patch
        except ImportError:
            raise MissingDependencyError("matplotlib", "galleries of images", "plot") from None
        named = [(y_true, true_color, "true"), (y_pred, pred_color, "predicted")]
        own = [Patch(color=np.asarray(color) / 255, label=name) for boxes, color, name in named if boxes is not None]
        legend_handles = [*own, *(legend_handles or [])]
    plot_image_gallery(
        pictures, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: dict[int, Any] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Shows each image beside itself with the true and the predicted classes of its pixels, or writes it to a file.

    Args:
        images: `[batch, height, width, channels]`, of one or three channels.
        num_classes: The number of classes.
        value_range: The values of black and white.
        y_true: True class numbers, as for `draw_segmentation_masks`.
        y_pred: Predicted ones.
        color_mapping: Red, green and blue by class number.
        blend: Whether the image shines through.
        alpha: How much the colours cover, from 0 to 1.
        ignore_index: The number of pixels to leave as they are.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: Further arguments of `plot_image_gallery`, such as `path`.

    Raises:
        ValueError: If shapes do not fit.
        ImportError: Without matplotlib.

    >>> import io, numpy as np, hornbeam as keras
    >>> picture = io.BytesIO()
    >>> keras.visualization.plot_segmentation_mask_gallery(
    ...     np.zeros((2, 8, 8, 3)), num_classes=2, y_true=np.ones((2, 8, 8, 1)), path=picture)
    >>> picture.getvalue()[1:4]
    b'PNG'
    """
    pictures = as_pictures(images, value_range, data_format, "plot_segmentation_mask_gallery")
    beside = [pictures]
    for masks in (y_true, y_pred):
        if masks is not None:
            first = data_format == "channels_first" and as_host(masks).ndim == 4
            beside.append(
                draw_segmentation_masks(
                    pictures, np.moveaxis(as_host(masks), 1, -1) if first else masks, num_classes, color_mapping, alpha,
                    blend, ignore_index, data_format="channels_last",
                )
            )
    kwargs.setdefault("cols", 1 if len(pictures) < 4 else 2)
    plot_image_gallery(np.concatenate(beside, axis=2), data_format="channels_last", **kwargs)
