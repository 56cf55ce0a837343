"""The image preprocessing layers and what they are called on, for which Keras's answers are recorded beside this file.

Knows neither hornbeam nor Keras, so that both can be asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

PARTS = ("labels", "bounding_boxes", "segmentation_masks")


class Case(NamedTuple):
    """One layer with one choice of arguments.

    Attributes:
        make: Makes the layer from the module `keras`, ours or Keras's.
        images: Which images of `images()`.
        fixed: Whether the arguments leave nothing to chance, so that whole calls can be compared.
        parts: Which other parts of the data are compared.
    """

    make: Callable[[Any], Any]
    images: str = "floats"
    fixed: bool = False
    parts: tuple[str, ...] = PARTS


def images(kind: str) -> np.ndarray:
    """A batch of two images, 8 high and 6 wide: not quite smooth, with light and dark places."""
    random = np.random.RandomState(7)
    y, x = np.mgrid[0:8, 0:6]
    waves = [np.sin(x * a + y * b + c) for a, b, c in random.uniform(0.2, 1.2, (6, 3))]
    batch = np.stack(waves, -1).reshape(8, 6, 2, 3).transpose(2, 0, 1, 3) * 100 + 128
    batch = np.clip(batch + random.normal(0, 15, batch.shape), 0, 255).astype("float32")
    if kind == "floats":
        return batch
    if kind == "bytes":
        return batch.astype("uint8")
    if kind == "first":
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
    if kind == "units":
        return batch / np.float32(255)
    if kind == "single":
        return batch[0]
    if kind == "gray":
        return batch[..., :1]
    if kind == "large":
        return np.kron(batch, np.ones((1, 4, 5, 1), "float32")) + random.normal(0, 2, (2, 32, 30, 3)).astype("float32")
    raise AssertionError(kind)


def parts(kind: str) -> dict[str, Any]:
    """What goes with the images: labels, boxes (x0, y0, x1, y1), masks of numbers of classes."""
    boxes = np.array([[[1, 1, 4, 5], [0, 2, 3, 6], [-1, -1, -1, -1]], [[2, 0, 6, 8], [3, 3, 5, 4], [0, 6, 2, 8]]])
    found: dict[str, Any] = {
        "labels": np.eye(4, dtype="float32")[[1, 3]],
        "bounding_boxes": {
            "boxes": boxes.astype("float32"),
            "labels": np.array([[1, 2, -1], [0, 3, 2]], "float32"),
        },
        "segmentation_masks": (images("floats")[..., :1] // 80).astype("float32"),
    }
    if kind == "first":
        found["segmentation_masks"] = found["segmentation_masks"].transpose(0, 3, 1, 2)
    if kind == "large":
        found["segmentation_masks"] = np.kron(found["segmentation_masks"], np.ones((1, 4, 5, 1), "float32"))
    if kind == "single":
        found = {
            "labels": found["labels"][0],
            "bounding_boxes": {key: one[0] for key, one in found["bounding_boxes"].items()},
            "segmentation_masks": found["segmentation_masks"][0],
        }
    return found


CASES: dict[str, Case] = {}


def _add(name: str, *args: Any, case: str = "", images: str = "floats", fixed: bool = False,
         parts: tuple[str, ...] = PARTS, **kwargs: Any) -> None:
    kwargs.setdefault("bounding_box_format", "xyxy")
    title = f"{name}/{case}" if case else name
    assert title not in CASES, title
    CASES[title] = Case(lambda keras: getattr(keras.layers, name)(*args, **kwargs), images, fixed, parts)


# --- sizes -------------------------------------------------------------------------------------------------------
for kind in ("floats", "bytes", "first", "single"):
    layout = {"data_format": "channels_first"} if kind == "first" else {}
    _add("Resizing", 4, 5, case=kind, images=kind, fixed=True, **layout)
    _add("Resizing", 5, 5, case=f"crop {kind}", images=kind, fixed=True, crop_to_aspect_ratio=True, **layout)
    _add("Resizing", 5, 5, case=f"pad {kind}", images=kind, fixed=True, pad_to_aspect_ratio=True, fill_value=7.0,
         **layout)
    _add("CenterCrop", 5, 3, case=kind, images=kind, fixed=True, **layout)
    _add("CenterCrop", 10, 4, case=f"larger {kind}", images=kind, fixed=True, **layout)
    _add("RandomCrop", 5, 3, case=kind, images=kind, seed=1, **layout)
for way in ("nearest", "bicubic", "lanczos3", "lanczos5"):
    _add("Resizing", 4, 9, way, case=way, fixed=True)
_add("Resizing", 4, 3, case="antialias", fixed=True, antialias=True)
_add("Resizing", 4, 4, case="rel_xyxy", fixed=True, bounding_box_format="rel_xyxy")
_add("Resizing", 4, 4, case="xywh", fixed=True, bounding_box_format="xywh")
_add("Resizing", 4, 4, case="half", fixed=True, dtype="float16")
_add("CenterCrop", 3, 4, case="center_xywh", fixed=True, bounding_box_format="center_xywh")
_add("CenterCrop", 3, 4, case="half", fixed=True, dtype="float16")
_add("RandomCrop", 9, 6, case="larger", seed=1)
_add("MaxNumBoundingBoxes", 2, case="fewer", fixed=True)
_add("MaxNumBoundingBoxes", 5, case="more", fixed=True)

# --- places ------------------------------------------------------------------------------------------------------
for mode in ("horizontal", "vertical", "horizontal_and_vertical"):
    _add("RandomFlip", mode, case=mode, seed=1)
for kind in ("floats", "bytes", "first", "single"):
    layout = {"data_format": "channels_first"} if kind == "first" else {}
    if kind != "floats":
        _add("RandomFlip", case=kind, images=kind, seed=2, **layout)
    _add("RandomRotation", 0.2, case=kind, images=kind, seed=2, **layout)
    if kind in ("bytes", "single"):
        continue
    _add("RandomTranslation", 0.3, 0.2, case=kind, images=kind, seed=3, **layout)
    _add("RandomZoom", 0.4, 0.3, case=kind, images=kind, seed=4, **layout)
    _add("RandomShear", 0.4, 0.3, case=kind, images=kind, seed=6, **layout)
    _add("RandomPerspective", (1.0, 1.0), 0.4, case=kind, images=kind, seed=7, **layout)
for mode in ("constant", "nearest", "wrap"):
    for way in ("bilinear", "nearest"):
        settings = {"fill_mode": mode, "fill_value": 9.0, "interpolation": way}
        _add("RandomRotation", 0.4, case=f"{mode} {way}", seed=8, **settings)
    _add("RandomTranslation", 0.4, 0.4, case=f"{mode} {way}", seed=8, **settings)
    _add("RandomZoom", (0.2, 0.6), case=f"{mode} {way}", seed=8, **settings)
_add("RandomRotation", (0.1, 0.1), case="fixed", fixed=True)
_add("RandomRotation", (0.25, 0.25), case="quarter", fixed=True)
_add("RandomTranslation", (0.3, 0.3), (-0.2, -0.2), case="fixed", fixed=True)
_add("RandomZoom", (0.33, 0.33), (-0.21, -0.21), case="fixed", fixed=True)
_add("RandomZoom", (0.3, 0.3), case="fixed one", fixed=True)
_add("RandomPerspective", (1.0, 1.0), 0.3, case="nearest", seed=9, interpolation="nearest", fill_value=3.0)
_add("RandomPerspective", 0.5, 0.5, case="some", seed=9)

# --- colours -----------------------------------------------------------------------------------------------------
for kind in ("floats", "bytes", "units", "single", "gray", "first"):
    span: dict[str, Any] = {"value_range": (0, 1)} if kind == "units" else {}
    layout: dict[str, Any] = {"data_format": "channels_first"} if kind == "first" else {}
    layout["parts"] = PARTS if kind == "floats" else ()
    _add("RandomBrightness", 0.3, case=kind, images=kind, seed=1, **span, **layout)
    _add("RandomContrast", 0.5, case=kind, images=kind, seed=2, **span, **layout)
    _add("RandomPosterization", 5, case=kind, images=kind, seed=3, **span, **layout)
    _add("RandomInvert", case=kind, images=kind, seed=4, **span, **layout)
    _add("Solarization", 0.3, 0.4, case=kind, images=kind, seed=5, **span, **layout)
    _add("AutoContrast", case=kind, images=kind, fixed=True, **span, **layout)
    _add("Equalization", case=kind, images=kind, fixed=True, **span, **layout)
    _add("RandomSharpness", 0.8, case=kind, images=kind, seed=6, **span, **layout)
    if kind == "gray":
        continue
    _add("RandomColorDegeneration", 0.7, case=kind, images=kind, seed=7, **span, **layout)
    _add("RandomSaturation", (0.2, 0.8), case=kind, images=kind, seed=8, **span, **layout)
    _add("RandomHue", 0.4, case=kind, images=kind, seed=9, **span, **layout)
    if kind != "units":
        _add("RandomGrayscale", 0.5, case=kind, images=kind, seed=10, **layout)
for value in (0.0, 0.5, 0.75, 1.0):
    if value < 1:
        _add("RandomSaturation", (value, value), case=f"at {value}", fixed=True)
    _add("RandomColorDegeneration", (value, value), case=f"at {value}", fixed=True)
    _add("RandomSharpness", (value, value), case=f"at {value}", fixed=True)
    _add("RandomInvert", (value, value) if value in (0.0, 1.0) else 0.0, case=f"at {value}", fixed=True)
    _add("RandomGrayscale", 1.0 if value == 1 else 0.0, case=f"at {value}", fixed=True)
for value in (1, 4, 7):
    _add("RandomPosterization", (value, value), case=f"at {value}", fixed=True)
for value in (-0.4, 0.6):
    _add("RandomBrightness", (value, value), case=f"at {value}", fixed=True)
_add("RandomBrightness", (0.2, 0.2), (-1, 1), case="signed", fixed=True, images="units")
_add("Equalization", bins=16, case="16 bins", fixed=True)
_add("RandomColorJitter", case="nothing", fixed=True)
_add("RandomColorJitter", (0, 255), (0.2, 0.2), None, (0.7, 0.7), None, case="two", fixed=True)
for kind in ("large", "floats", "bytes"):
    tiles = (4, 4) if kind == "large" else (2, 2)
    _add("ContrastLimitedAdaptiveHistogramEqualization", tile_grid_size=tiles, case=kind, images=kind, fixed=True)
_add("ContrastLimitedAdaptiveHistogramEqualization", clip_limit=1.5, tile_grid_size=(3, 4), case="uneven",
     images="large", fixed=True)
_add("RandomGaussianBlur", (1.0, 1.0), 3, (0.8, 0.8), case="fixed", fixed=True)
_add("RandomGaussianBlur", 0.6, (3, 5), 1.5, case="random", seed=2)
_add("RandomGaussianBlur", (1.0, 1.0), 3, (0.8, 0.8), case="bytes", images="bytes", fixed=True)
_add("RandomGaussianBlur", (1.0, 1.0), 3, (0.8, 0.8), case="first", images="first", fixed=True,
     data_format="channels_first")
_add("RandomErasing", (1.0, 1.0), (0.2, 0.4), case="noise", seed=3)
_add("RandomErasing", 0.7, (0.2, 0.4), 9.0, case="constant", seed=3)
_add("RandomErasing", (1.0, 1.0), (0.2, 0.4), 9.0, case="first", images="first", seed=3, data_format="channels_first")
_add("RandomErasing", (1.0, 1.0), (0.2, 0.4), 9.0, case="single", images="single", seed=3)

# --- several images, several layers ------------------------------------------------------------------------------
for kind in ("floats", "bytes", "first"):
    layout = {"data_format": "channels_first"} if kind == "first" else {}
    _add("CutMix", case=kind, images=kind, seed=12, **layout)
    _add("MixUp", 1.0, case=kind, images=kind, seed=2, **layout)
for kind in ("floats", "bytes", "units", "single"):
    span = {"value_range": (0, 1)} if kind == "units" else {}
    for seed in (1, 2, 3) if kind == "floats" else (1,):
        _add("RandAugment", case=f"{kind} {seed}", images=kind, seed=seed, **span)
    if kind != "bytes":
        _add("AugMix", case=kind, images=kind, seed=2, **span)
_add("AugMix", num_chains=2, chain_depth=2, factor=0.5, all_ops=False, case="few", seed=3)
_add("RandomElasticTransform", (0.0, 0.0), case="never", fixed=True)
