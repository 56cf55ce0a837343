"""`ImageLayer`: what all image preprocessing layers share, from the parts of the data to the dtypes.

A subclass draws what chance decides (`_draw`), and says what becomes of images (`_images`) and, where they change,
of labels, boxes and masks. It knows nothing of single images, formats of boxes or input pipelines.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from hornbeam import dtypes, tree
from hornbeam._config import standardize_data_format
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, describe
from hornbeam.layers.core.checks import where
from hornbeam.layers.layer import Layer
from hornbeam.layers.preprocessing.host_layer import in_graph_of_tensorflow
from hornbeam.ops.bounding_boxes import check_format, clip_to_image_size, convert_format
from hornbeam.ops.define import as_tensor
from hornbeam.ops.resampling import as_working, back_to, image_axes
from hornbeam.random import SeedGenerator
from hornbeam.symbolic import KerasTensor, any_symbolic, infer

xp = backend.xp


class ImageLayer(Layer):
    """Base of the layers on images. It takes images, or a dict of images and what belongs to them.

    A dict has "images" and perhaps "labels", "bounding_boxes" (a dict of "boxes" and "labels") and
    "segmentation_masks"; other entries pass through. Images may come alone (rank 3) or as a batch (rank 4). The
    same transformation is applied to all parts of an element.

    Args:
        bounding_box_format: The format of bounding boxes, see `keras.utils.bounding_boxes.convert_format`; needed
            where there are boxes.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
    """

    # the arguments that `get_config` names after `data_format`, in the order of Keras's files
    settings: tuple[str, ...] = ()
    # whether something changes also when nothing is trained, as with sizes
    acts_always = False
    # whether integers stay what they are instead of becoming floats
    keeps_integers = False
    # the numbers of an image's parts that change with it
    changes_labels = changes_boxes = changes_masks = False

    def __init__(
        self, *, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        if bounding_box_format is not None:
            bounding_box_format = check_format(bounding_box_format, where(self))
        self.bounding_box_format = bounding_box_format

    # --- what subclasses write -------------------------------------------------------------------------------

    def _draw(self, images: Any, seed: Any) -> Any:
        """What chance decides for these images, of rank 3 or 4."""
        return None

    def _images(self, images: Any, transformation: Any) -> Any:
        """A batch of images, floats of at least single precision or integers, changed."""
        return images

    def _labels(self, labels: Any, transformation: Any) -> Any:
        return labels

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        """A dict of boxes of a batch, in the format of the layer, changed."""
        return boxes

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return masks

    # --- the parts of the data -------------------------------------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What chance decides for these data.

        Args:
            data: Images, or a dict with them under "images".
            training: Whether the layer is to change anything at random.
            seed: A `SeedGenerator` or an integer; by default the layer's own.

        Returns:
            What `transform_images` and the others take as `transformation`; None where nothing is to change.
        """
        if not training and not self.acts_always:
            return None
        images = data["images"] if isinstance(data, dict) else data
        return self._draw(as_tensor(images), getattr(self, "generator", None) if seed is None else seed)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """Images as the transformation makes them.

        Args:
            images: `[height, width, channels]` or a batch of them; or with channels first.
            transformation: What `get_random_transformation` gave.
            training: Whether to change anything, in layers that do so only while training.

        Returns:
            Images in the compute dtype of the layer; some layers keep integers.
        """
        images = as_tensor(images)
        if len(images.shape) not in (3, 4):
            raise ArgumentError(
                "an image of rank 3 or a batch of them of rank 4", f"shape={tuple(images.shape)}", where(self)
            )
        dtype = self._image_dtype(backend.dtype(images))
        if not self._applies(transformation, training):
            return images if backend.dtype(images) == dtype else backend.cast(images, dtype)
        single = len(images.shape) == 3
        batch = images[None] if single else images
        if dtypes.is_float(backend.dtype(batch)) or dtypes.is_float(dtype):
            batch = as_working(batch)
        changed = back_to(self._images(batch, transformation), dtype)
        return changed[0] if single else changed

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """Labels as the transformation makes them: mixed where images are mixed, else unchanged."""
        labels = as_tensor(labels)
        return self._labels(labels, transformation) if self._applies(transformation, training) else labels

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        """A dict of "boxes" `[..., boxes, 4]` and "labels" `[..., boxes]` as the transformation makes it.

        What comes to lie outside of the image is cut off; boxes of which nothing is left get the label -1.
        """
        if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
            raise ArgumentTypeError(
                'bounding boxes as a dict of "boxes" and "labels"', describe(bounding_boxes), where(self)
            )
        boxes = {key: as_tensor(one) for key, one in bounding_boxes.items()}
        if not self._applies(transformation, training):
            return boxes
        if self.bounding_box_format is None:
            raise ArgumentError("bounding_box_format, where there are bounding boxes", "None", where(self))
        if len(boxes["boxes"].shape) == 3:
            return self._boxes(boxes, transformation)
        changed = self._boxes({key: one[None] for key, one in boxes.items()}, transformation)
        return {key: one[0] for key, one in changed.items()}

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Masks of class numbers `[..., height, width, 1]` as the transformation makes them."""
        masks = as_tensor(segmentation_masks)
        if not self._applies(transformation, training):
            return masks
        if len(masks.shape) == 4:
            return self._masks(masks, transformation)
        return self._masks(masks[None], transformation)[0]

    def transform_single_image(self, image: Any, transformation: Any, training: bool = True) -> Any:
        """As `transform_images`, of one image."""
        return self.transform_images(image, transformation, training=training)

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """As `transform_labels`, of one label."""
        labels = self.transform_labels(as_tensor(label)[None], transformation, training=training)
        return labels[0]

    def transform_single_bounding_box(self, bounding_box: Any, transformation: Any, training: bool = True) -> Any:
        """As `transform_bounding_boxes`, of the boxes of one image."""
        return self.transform_bounding_boxes(bounding_box, transformation, training=training)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: bool = True
    ) -> Any:
        """As `transform_segmentation_masks`, of one mask."""
        return self.transform_segmentation_masks(segmentation_mask, transformation, training=training)

    def _applies(self, transformation: Any, training: bool) -> bool:
        return self.acts_always or (bool(training) and transformation is not None)

    # --- the call --------------------------------------------------------------------------------------------

    def call(self, data: Any, training: bool = True) -> Any:
        """Images, or the dict, as the layer changes them; at random only if `training`.

        Args:
            data: Images `[height, width, channels]` or a batch of them (or with channels first), of floats or
                integers; or a dict of "images" and "labels", "bounding_boxes", "segmentation_masks".
            training: Whether random changes are made.
        """
        if any(self._is_for_callback(one) for one in tree.flatten(data)):
            return self._call_in_tensorflow(data, training)
        if not isinstance(data, dict):
            single = len(data.shape) == 3
            transform = self.transform_single_image if single else self.transform_images
            return transform(data, self.get_random_transformation(data, training=training), training=training)
        if "images" not in data:
            raise ArgumentError('a dict with "images"', f"the keys {sorted(data)}", where(self))
        transformation = self.get_random_transformation(data, training=training)
        single = len(data["images"].shape) == 3
        outputs = dict(data)
        for key, many, one in (
            ("images", self.transform_images, self.transform_single_image),
            ("labels", self.transform_labels, self.transform_single_label),
            ("bounding_boxes", self.transform_bounding_boxes, self.transform_single_bounding_box),
            ("segmentation_masks", self.transform_segmentation_masks, self.transform_single_segmentation_mask),
        ):
            if key in data:
                outputs[key] = (one if single else many)(data[key], transformation, training=training)
        return outputs

    def _is_for_callback(self, value: Any) -> bool:
        """Whether a tensor belongs to a graph of TensorFlow that this backend cannot follow."""
        return in_graph_of_tensorflow(value) and (not backend.is_array(value) or None in tuple(value.shape))

    def _convert(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], bool]:
        if any(self._is_for_callback(one) for one in tree.flatten(args)):
            return args, kwargs, any_symbolic((args, kwargs))
        return super()._convert(args, kwargs)

    def _call_in_tensorflow(self, data: Any, training: bool) -> Any:
        """One operation of a TensorFlow graph, as in the `map` of a `tf.data.Dataset`, that calls back."""
        tensorflow = sys.modules["tensorflow"]
        leaves, description = tree.flatten_and_structure(data)
        specs = tree.unflatten(description, [KerasTensor(one.shape, one.dtype.name) for one in leaves])
        found, outline = tree.flatten_and_structure(self.compute_output_spec(specs, training=training))

        def run(*values: Any) -> list[Any]:
            outputs = self(tree.unflatten(description, list(values)), training=training)
            arrays = [backend.to_numpy(one) for one in tree.flatten(outputs)]
            return [array.astype(spec.dtype) for array, spec in zip(arrays, found, strict=True)]

        outputs = tensorflow.numpy_function(run, leaves, [tensorflow.as_dtype(one.dtype) for one in found])
        for one, spec in zip(outputs, found, strict=True):
            one.set_shape(spec.shape)
        return tree.unflatten(outline, outputs)

    # --- shapes and configs ----------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """There is nothing to make; files hold the shape, as Keras's do."""

    def _image_dtype(self, dtype: str) -> str:
        """The dtype of the images that come out for those that go in."""
        return dtype if self.keeps_integers and not dtypes.is_float(dtype) else self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the images that come out."""
        return input_shape

    def compute_output_spec(self, data: Any, training: bool = True) -> Any:
        """Shape and dtype of the outputs."""
        if isinstance(data, KerasTensor):
            if len(data.shape) not in (3, 4):
                raise ArgumentError("an image of rank 3 or a batch of rank 4", f"shape={data.shape}", where(self))
            dtype = self._image_dtype(self._seen_dtype(data))
            return KerasTensor(self.compute_output_shape(data.shape), dtype)
        outputs = infer(lambda one: self._run((one,), {"training": training}, training, False), (data,), {})
        if isinstance(data, dict) and isinstance(data.get("images"), KerasTensor):
            outputs["images"] = self.compute_output_spec(data["images"])
        return outputs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, in the order of Keras's files."""
        config = super().get_config()
        boxes = () if self.bounding_box_format is None else ("bounding_box_format",)
        names = ("name", "trainable", "dtype", "data_format", *boxes, *self.settings)
        return {name: config[name] if name in config else getattr(self, name) for name in names}

    # --- helpers of subclasses -------------------------------------------------------------------------------

    def _axes(self, images: Any) -> tuple[int, int, int]:
        """The axes of height, width and channels."""
        return image_axes(len(images.shape), self.data_format)

    def _sizes(self, shape: Any) -> tuple[int, int]:
        """Height and width in a shape of images."""
        rows, columns, _ = image_axes(len(shape), self.data_format)
        return shape[rows], shape[columns]

    def _in_corners(
        self, boxes: dict[str, Any], size: tuple[int, int], change: Callable[[Any], Any],
        new_size: tuple[int, int] | None = None,
    ) -> dict[str, Any]:
        """Boxes whose corners in pixels are changed, then cut at the edges of the image.

        Args:
            boxes: A dict of boxes in the format of the layer.
            size: Height and width of the image before.
            change: A function of boxes (left, top, right, bottom).
            new_size: Height and width after; as before if None.
        """
        kind = self.bounding_box_format
        corners = convert_format(boxes["boxes"], kind, "xyxy", height=size[0], width=size[1])
        height, width = size if new_size is None else new_size
        moved = clip_to_image_size({**boxes, "boxes": change(corners)}, height=height, width=width)
        return convert_format(moved, "xyxy", kind, height=height, width=width)


class RandomImageLayer(ImageLayer):
    """Base of the image layers that leave something to chance.

    Args:
        seed: An integer, or None for a random one.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    @staticmethod
    def _count(images: Any) -> int:
        """How many images there are."""
        return images.shape[0] if len(images.shape) == 4 else 1

    @classmethod
    def _per_image(cls, images: Any) -> tuple[int, ...]:
        """The shape of one number for each image, that broadcasts against them."""
        return (cls._count(images), 1, 1, 1) if len(images.shape) == 4 else (1, 1, 1)


def each(value: Any, rank: int = 4) -> Any:
    """One number for each image, in a shape that broadcasts against a batch of this rank."""
    return xp.reshape(value, (-1, *(1,) * (rank - 1)))


def factor_range(
    value: Any, layer: Any, bounds: tuple[float, float] = (-1.0, 1.0), name: str = "factor", symmetric: bool = False
) -> tuple[Any, Any]:
    """The lowest and greatest number that may be drawn.

    Args:
        value: Two numbers; or one, `f`, for those from the lower bound to it, or from `-f` to `f` if that may be
            negative.
        layer: The layer, for errors.
        bounds: What numbers must lie within.
        name: The name of the argument, for errors.
        symmetric: Whether one number may be negative as well, which makes no difference then.

    Raises:
        ValueError: If numbers are out of bounds.
    """
    low, high = bounds
    fix = f"a number from {low:g} to {high:g} for {name}, or a pair of them"
    if isinstance(value, (tuple, list)):
        if len(value) != 2 or not all(_is_number(one) and low <= one <= high for one in value):
            raise ArgumentError(fix, repr(value), where(layer))
        return min(value), max(value)
    if not _is_number(value) or not (low <= value <= high or (symmetric and low <= -abs(value))):
        raise ArgumentError(fix, repr(value), where(layer))
    return (-abs(value), abs(value)) if low < 0 else (int(low) if low == int(low) else low, value)


def as_config(value: Any) -> Any:
    """A factor as configs hold it: pairs as tuples, also when they come from a file."""
    return tuple(value) if isinstance(value, list) else value


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and (isinstance(value, (int, float)) or hasattr(value, "__float__"))


def value_span(value: Any, layer: Any, as_list: bool = True) -> Any:
    """`value_range` if it is two numbers, the lower one first."""
    pair = isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_is_number, value))
    if not pair or not value[0] < value[1]:
        raise ArgumentError("two numbers, the lower one first, for value_range", repr(value), where(layer))
    return sorted(value) if as_list else tuple(value)

