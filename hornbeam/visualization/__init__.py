"""`hornbeam.visualization`: images with boxes, masks and labels; pillow and matplotlib load when they are used."""

from hornbeam.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks
from hornbeam.visualization.galleries import (
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)

__all__ = [
    "draw_bounding_boxes", "draw_segmentation_masks", "plot_bounding_box_gallery", "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
