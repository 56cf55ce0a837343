"""`hornbeam.utils.bounding_boxes`: boxes around things in images, in nine formats; names only."""

from hornbeam.ops.bounding_boxes import affine_transform, clip_to_image_size, convert_format, crop, pad
from hornbeam.ops.box_overlap import compute_ciou, compute_iou, decode_deltas_to_boxes, encode_box_to_deltas

__all__ = [
    "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop",
    "decode_deltas_to_boxes", "encode_box_to_deltas", "pad",
]
