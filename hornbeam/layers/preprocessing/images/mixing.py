"""`CutMix`, `MixUp`: each image mixed with another of the batch, and their labels; `MaxNumBoundingBoxes`."""

from __future__ import annotations

from typing import Any

from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.layers.preprocessing.images.image_layer import ImageLayer, RandomImageLayer, each, factor_range
from hornbeam.layers.preprocessing.images.moving import numbers
from hornbeam.ops.resampling import as_working
from hornbeam.random import beta, shuffle

xp = backend.xp


class MixingLayer(RandomImageLayer):
    """Base of the layers that mix the images of a batch with each other."""

    changes_labels = True

    def _order(self, count: int, seed: Any) -> Any:
        return shuffle(backend.asarray(range(count), "int32"), seed=seed)

    def _others(self, value: Any, transformation: Any) -> Any:
        """What each is mixed with."""
        return backend.take_rows(value, transformation["permutation_order"])

    def _labels(self, labels: Any, transformation: Any) -> Any:
        labels = as_working(labels)
        weight = each(transformation["mix_weight"], len(labels.shape))
        return weight * labels + (1.0 - weight) * self._others(labels, transformation)

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """The label: one image has nothing to be mixed with."""
        return label


@wire("keras.layers.CutMix")
class CutMix(MixingLayer):
    """Puts a rectangle of another image of the batch into each image, and mixes labels by its share of the area.

    S. Yun et al., "CutMix: regularization strategy to train strong classifiers", 2019.

    Args:
        factor: The parameter of the beta distribution of the share that stays, between 0 and 1: two numbers between
            which it is drawn for each batch, or one `f` for those from 0 to `f`.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: Arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer, and one-hot labels as floats, mixed while training.

    Raises:
        ValueError: For a factor out of bounds.

    >>> import hornbeam as keras
    >>> mixed = keras.layers.CutMix()({"images": keras.ops.ones((4, 8, 8, 3)), "labels": keras.ops.eye(4)})
    >>> mixed["images"].shape, mixed["labels"].shape
    ((4, 8, 8, 3), (4, 4))
    """

    changes_masks = True
    settings = ("factor", "seed")

    def __init__(
        self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(factor, self, (0.0, 1.0))

    def _draw(self, images: Any, seed: Any) -> Any:
        if len(images.shape) == 3:
            return None  # nothing to be mixed with
        count = images.shape[0]
        order = self._order(count, seed)
        alpha = xp.maximum(numbers(*self.factor, (), seed), 1e-3)
        weight = beta((count,), alpha, alpha, dtype="float32", seed=seed)
        side = xp.sqrt(1.0 - weight)
        rows, columns, _ = self._axes(images)
        covered: Any = None
        for axis in (rows, columns):
            size = images.shape[axis]
            half = side * (size / 2)
            # the middle may lie anywhere, and what sticks out is cut off
            middle = numbers(0.0, 1.0, (count,), seed) * size
            start, end = (xp.clip(xp.round(one), 0, size) for one in (middle - half, middle + half))
            place = backend.cast(backend.asarray(range(size), "int32"), "float32")
            place = xp.reshape(place, [size if i == axis else 1 for i in range(4)])
            here = (place >= each(start)) & (place < each(end))
            covered = here if covered is None else covered & here
        kept = 1.0 - xp.mean(backend.cast(covered, "float32"), axis=(1, 2, 3))
        return {
            "permutation_order": order,
            "batch_masks": xp.broadcast_to(covered, images.shape),
            "mix_weight": each(kept),
        }

    def _mixed(self, images: Any, transformation: Any) -> Any:
        masks = transformation["batch_masks"]
        if masks.shape != images.shape:  # of segmentation, with another number of channels
            channels = self._axes(images)[2]
            masks = xp.any(masks, axis=channels, keepdims=True)
        return xp.where(masks, self._others(images, transformation), images)

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._mixed(images, transformation)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._mixed(masks, transformation)


@wire("keras.layers.MixUp")
class MixUp(MixingLayer):
    """Averages each image with another of the batch, and their labels; H. Zhang et al., "mixup", 2018.

    Args:
        alpha: The parameter of the beta distribution of the weight, above 0.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        seed: An integer, or None for a random one.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer, and one-hot labels as floats, mixed while training.
        Boxes are those of both images; masks, those of the image that counts more.

    Raises:
        ValueError: For an alpha that is not above 0.

    >>> import hornbeam as keras
    >>> mixed = keras.layers.MixUp()({"images": keras.ops.ones((4, 8, 8, 3)), "labels": keras.ops.eye(4)})
    >>> mixed["images"].shape, mixed["labels"].shape
    ((4, 8, 8, 3), (4, 4))
    """

    changes_boxes = changes_masks = True
    settings = ("alpha", "seed")

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ArgumentError("an alpha above 0", repr(alpha), where(self))
        self.alpha = alpha

    def _draw(self, images: Any, seed: Any) -> Any:
        count = self._count(images)
        order = self._order(count, seed)
        weight = beta((count,), self.alpha, self.alpha, dtype="float32", seed=seed)
        return {"mix_weight": weight, "permutation_order": order}

    def _images(self, images: Any, transformation: Any) -> Any:
        images = as_working(images)
        weight = each(transformation["mix_weight"])
        return weight * images + (1.0 - weight) * self._others(images, transformation)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        mostly = each(transformation["mix_weight"]) >= 0.5
        return xp.where(mostly, masks, self._others(masks, transformation))

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        return {
            **boxes,
            **{
                key: xp.concatenate([boxes[key], self._others(boxes[key], transformation)], axis=1)
                for key in ("boxes", "labels")
            },
        }


@wire("keras.layers.MaxNumBoundingBoxes")
class MaxNumBoundingBoxes(ImageLayer):
    """Gives all images the same number of bounding boxes: cuts off what is more, and fills up what is less.

    Args:
        max_number: The number of boxes.
        fill_value: The numbers of boxes, and their labels, where there are too few.
        **kwargs: `bounding_box_format`, `data_format`, and arguments of `Layer`.

    Returns:
        The data, with boxes of shape `[..., max_number, 4]`.

    Raises:
        ValueError: For a bad number.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    >>> boxes = {"boxes": keras.ops.ones((2, 1, 4)), "labels": keras.ops.ones((2, 1))}
    >>> layer({"images": keras.ops.ones((2, 4, 4, 3)), "bounding_boxes": boxes})["bounding_boxes"]["boxes"].shape
    (2, 3, 4)
    """

    acts_always = True
    changes_boxes = True
    keeps_integers = True
    settings = ("max_number",)

    def __init__(self, max_number: int, fill_value: float = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = positive_integer(max_number, "max_number", self)
        self.fill_value = fill_value

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        missing = max(self.max_number - boxes["boxes"].shape[1], 0)

        def filled(value: Any) -> Any:
            value = value[:, : self.max_number]
            amounts = [(0, 0), (0, missing)] + [(0, 0)] * (len(value.shape) - 2)
            return xp.pad(value, amounts, constant_values=self.fill_value)

        return {**boxes, **{key: filled(boxes[key]) for key in ("boxes", "labels")}}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer; a usual `fill_value` is not said, as in Keras's files."""
        config = super().get_config()
        return config if self.fill_value == -1 else {**config, "fill_value": self.fill_value}

