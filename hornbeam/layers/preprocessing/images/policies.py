"""`RandAugment`, `AugMix`: several random changes one after the other; `Pipeline`: any layers one after the other."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.layers.layer import Layer
from hornbeam.layers.preprocessing.images.colours import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    Solarization,
)
from hornbeam.layers.preprocessing.images.contrast import AutoContrast, Equalization
from hornbeam.layers.preprocessing.images.filters import RandomSharpness
from hornbeam.layers.preprocessing.images.image_layer import ImageLayer, RandomImageLayer, factor_range, value_span
from hornbeam.layers.preprocessing.images.moving import (
    INTERPOLATIONS,
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from hornbeam.random import beta, gamma, randint
from hornbeam.saving.config import deserialize_value, serialize_value

xp = backend.xp

CHANGES = (
    "random_shear", "random_translation", "random_rotation", "random_brightness", "random_color_degeneration",
    "random_contrast", "random_sharpness", "random_posterization", "solarization", "auto_contrast", "equalization",
)  # fmt: skip
# what AugMix does not do unless it is asked for all
DEGRADING = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")


class PolicyLayer(RandomImageLayer):
    """Base of the layers that choose among eleven changes, each of which is a layer in an attribute."""

    def __init__(self, value_range: Any, factor: Any, interpolation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_span(value_range, self, as_list=False)
        self.factor = factor_range(factor, self, (0.0, 1.0))
        if interpolation not in INTERPOLATIONS:
            raise UnknownNameError("interpolation", interpolation, INTERPOLATIONS, where(self))
        self.interpolation = interpolation
        factor = self.factor
        common = {name: getattr(self, name) for name in ("data_format", "bounding_box_format")}
        common["dtype"] = self.dtype_policy
        moving, coloured = {**common, "interpolation": interpolation}, {**common, "value_range": value_range}
        self.random_shear = RandomShear(factor, factor, **moving)
        self.random_translation = RandomTranslation(factor, factor, **moving)
        self.random_rotation = RandomRotation(factor, **moving)
        self.random_brightness = RandomBrightness(factor, **coloured)
        self.random_color_degeneration = RandomColorDegeneration(factor, **coloured)
        self.random_contrast = RandomContrast(factor, **coloured)
        self.random_sharpness = RandomSharpness(factor, **coloured)
        self.random_posterization = RandomPosterization(
            tuple(max(1, int(8 * one)) for one in factor), **coloured
        )
        self.solarization = Solarization(factor, factor, **coloured)
        self.auto_contrast = AutoContrast(**coloured)
        self.equalization = Equalization(**coloured)

    def _layer(self, name: str) -> ImageLayer:
        return getattr(self, name)

    def _drawn(self, name: str, images: Any, seed: Any) -> Any:
        layer = self._layer(name)
        return layer._draw(images, seed)

    def _all_parts(self, method: str, value: Any, transformation: Any) -> Any:
        raise NotImplementedError

    def _images(self, images: Any, transformation: Any) -> Any:
        return self._all_parts("_images", images, transformation)

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return self._all_parts("_masks", masks, transformation)

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        return self._all_parts("_boxes", boxes, transformation)


@wire("keras.layers.RandAugment")
class RandAugment(PolicyLayer):
    """Applies a few of eleven changes, chosen at random for each batch, while training.

    E. Cubuk et al., "RandAugment: practical automated data augmentation with a reduced search space", 2020.

    Args:
        value_range: The least and greatest value of images.
        num_ops: How many changes are made, one after the other; one may come more than once.
        factor: How strong they are, between 0 and 1: two numbers between which it is drawn, or one `f` for those from 0
            to `f`.
        interpolation: "bilinear" or "nearest", of changes that move pixels.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For arguments out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.RandAugment(num_ops=2, factor=0.3)(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    changes_boxes = changes_masks = True
    settings = ("value_range", "num_ops", "factor", "interpolation", "seed")

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed=seed, data_format=data_format, **kwargs)
        self.num_ops = positive_integer(num_ops, "num_ops", self)

    def _draw(self, images: Any, seed: Any) -> Any:
        return {
            "transforms": {name: self._drawn(name, images, seed) for name in CHANGES},
            "layer_idxes": randint((self.num_ops,), 0, len(CHANGES), dtype="int32", seed=seed),
        }

    def _all_parts(self, method: str, value: Any, transformation: Any) -> Any:
        def change(name: str, current: Any) -> Any:
            return getattr(self._layer(name), method)(current, transformation["transforms"][name])

        for i in range(self.num_ops):
            branches = [lambda current, name=name: change(name, current) for name in CHANGES]
            value = ops.switch(transformation["layer_idxes"][i], branches, value)
        return value


@wire("keras.layers.AugMix")
class AugMix(PolicyLayer):
    """Averages images that were changed by chains of random changes, and mixes that with the images, while training.

    D. Hendrycks et al., "AugMix: a simple data processing method to improve robustness and uncertainty", 2020.

    Args:
        value_range: The least and greatest value of images.
        num_chains: The number of chains.
        chain_depth: The number of changes of each chain.
        factor: How strong they are, between 0 and 1: two numbers between which it is drawn, or one `f` for those from 0
            to `f`.
        alpha: The parameter of the Dirichlet and beta distributions of weights, above 0.
        all_ops: Whether all eleven changes may come; if not, brightness, colour, contrast and sharpness stay.
        interpolation: "bilinear" or "nearest", of changes that move pixels.
        seed: An integer, or None for a random one.
        data_format: "channels_last", "channels_first", or None for the default of the settings.
        **kwargs: `bounding_box_format`, and arguments of `Layer`.

    Returns:
        Images of the same shape in the compute dtype of the layer.

    Raises:
        ValueError: For arguments out of bounds.

    >>> import hornbeam as keras
    >>> keras.layers.AugMix(num_chains=2, chain_depth=2)(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    settings = ("value_range", "num_chains", "chain_depth", "factor", "alpha", "all_ops", "interpolation", "seed")

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed=seed, data_format=data_format, **kwargs)
        self.num_chains = positive_integer(num_chains, "num_chains", self)
        self.chain_depth = positive_integer(chain_depth, "chain_depth", self)
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha <= 0:
            raise ArgumentError("an alpha above 0", repr(alpha), where(self))
        self.alpha = alpha
        self.all_ops = bool(all_ops)

    def _names(self) -> tuple[str, ...]:
        return tuple(name for name in CHANGES if self.all_ops or name not in DEGRADING)

    def _link(self, images: Any, seed: Any) -> dict[str, Any]:
        """One change of a chain: its name, or in a compiled function its number, and what it draws."""
        names = self._names()
        number = randint((), 0, len(names), dtype="int32", seed=seed)
        # all of them draw, also where one is known to be chosen: a seed then gives the same in compiled functions
        drawn = {name: self._drawn(name, images, seed) for name in names}
        if backend.is_traced(number):
            return {"layer_idx": number, "transforms": drawn}
        name = names[int(number)]
        return {"layer_name": name, "transformation": drawn[name]}

    def _draw(self, images: Any, seed: Any) -> Any:
        shares = gamma((self.num_chains,), self.alpha, dtype="float32", seed=seed)
        return {
            "chain_mixing_weights": shares / xp.sum(shares),
            "weight_sample": beta((), self.alpha, self.alpha, dtype="float32", seed=seed),
            "chain_transforms": [
                [self._link(images, seed) for _ in range(self.chain_depth)] for _ in range(self.num_chains)
            ],
        }

    def _changed(self, images: Any, link: dict[str, Any]) -> Any:
        if "layer_name" in link:
            return self._layer(link["layer_name"])._images(images, link["transformation"])
        branches = [
            lambda current, name=name: self._layer(name)._images(current, link["transforms"][name])
            for name in self._names()
        ]
        return ops.switch(link["layer_idx"], branches, images)

    def _images(self, images: Any, transformation: Any) -> Any:
        mixed: Any = 0.0
        for number, chain in enumerate(transformation["chain_transforms"]):
            changed = images
            for link in chain:
                changed = self._changed(changed, link)
            mixed = mixed + transformation["chain_mixing_weights"][number] * changed
        weight = transformation["weight_sample"]
        return weight * images + (1.0 - weight) * mixed

    def _masks(self, masks: Any, transformation: Any) -> Any:
        return masks

    def _boxes(self, boxes: Any, transformation: Any) -> Any:
        return boxes


@wire("keras.layers.Pipeline")
class Pipeline(Layer):
    """Layers one after the other, each of which gets what the one before gave: images, or dicts with them.

    Args:
        layers: The layers.
        name: The name of this one.

    Returns:
        What the last layer gives.

    Raises:
        ValueError: For something else than a list of layers.

    >>> import hornbeam as keras
    >>> pipeline = keras.layers.Pipeline([keras.layers.RandomFlip(), keras.layers.Resizing(4, 4)])
    >>> pipeline(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 4, 4, 3)
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(one, Layer) for one in layers):
            raise ArgumentError("a list of layers", repr(layers), where(self))
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Any]:
        """The layers, in order."""
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        """What the layers make of the inputs, one after the other."""
        for layer in self._pipeline_layers:
            inputs = layer(inputs, training=training) if layer._call_signature.has_training else layer(inputs)
        return inputs

    def compute_output_spec(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        """Shape and dtype of the outputs of the last layer."""
        for layer in self._pipeline_layers:
            inputs = layer.compute_output_spec(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The layers, with their configs."""
        return {"name": self.name, "layers": [serialize_value(one) for one in self._pipeline_layers]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A pipeline made from what `get_config` gave."""
        return cls([deserialize_value(one) for one in config["layers"]], name=config.get("name"))
