"""What holds for image layers beyond single answers: chance, dtypes, compiled code, models, files, input pipelines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.symbolic import infer
from tests.layers.preprocessing.image_cases import CASES, images, parts

LAYERS: dict[str, Callable[..., Any]] = {
    "Resizing": lambda **more: keras.layers.Resizing(4, 5, **more),
    "CenterCrop": lambda **more: keras.layers.CenterCrop(4, 3, **more),
    "MaxNumBoundingBoxes": lambda **more: keras.layers.MaxNumBoundingBoxes(2, **more),
    "AutoContrast": lambda **more: keras.layers.AutoContrast(**more),
    "ContrastLimitedAdaptiveHistogramEqualization": lambda **more: (
        keras.layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2), **more)
    ),
    "Equalization": lambda **more: keras.layers.Equalization(**more),
    "RandomCrop": lambda **more: keras.layers.RandomCrop(4, 3, seed=3, **more),
    "RandomFlip": lambda **more: keras.layers.RandomFlip(seed=3, **more),
    "RandomRotation": lambda **more: keras.layers.RandomRotation(0.2, seed=3, **more),
    "RandomTranslation": lambda **more: keras.layers.RandomTranslation(0.3, (-0.1, 0.2), seed=3, **more),
    "RandomZoom": lambda **more: keras.layers.RandomZoom(0.3, seed=3, **more),
    "RandomShear": lambda **more: keras.layers.RandomShear(0.3, 0.2, seed=3, **more),
    "RandomPerspective": lambda **more: keras.layers.RandomPerspective((0.9, 1.0), 0.5, seed=3, **more),
    "RandomElasticTransform": lambda **more: keras.layers.RandomElasticTransform((0.9, 1.0), seed=3, **more),
    "RandomBrightness": lambda **more: keras.layers.RandomBrightness(0.3, seed=3, **more),
    "RandomContrast": lambda **more: keras.layers.RandomContrast(0.5, seed=3, **more),
    "RandomSaturation": lambda **more: keras.layers.RandomSaturation((0.2, 0.6), seed=3, **more),
    "RandomHue": lambda **more: keras.layers.RandomHue(0.3, seed=3, **more),
    "RandomColorDegeneration": lambda **more: keras.layers.RandomColorDegeneration(0.5, seed=3, **more),
    "RandomGrayscale": lambda **more: keras.layers.RandomGrayscale(0.5, seed=3, **more),
    "RandomInvert": lambda **more: keras.layers.RandomInvert(seed=3, **more),
    "RandomPosterization": lambda **more: keras.layers.RandomPosterization(5, seed=3, **more),
    "Solarization": lambda **more: keras.layers.Solarization(0.3, 0.4, seed=3, **more),
    "RandomColorJitter": lambda **more: (
        keras.layers.RandomColorJitter((0, 255), 0.2, 0.3, (0.2, 0.6), 0.2, seed=3, **more)
    ),
    "RandomSharpness": lambda **more: keras.layers.RandomSharpness(0.8, seed=3, **more),
    "RandomGaussianBlur": lambda **more: keras.layers.RandomGaussianBlur(1.0, (3, 5), (0.5, 2.0), seed=3, **more),
    "RandomErasing": lambda **more: keras.layers.RandomErasing((0.9, 1.0), (0.2, 0.4), seed=3, **more),
    "CutMix": lambda **more: keras.layers.CutMix(seed=3, **more),
    "MixUp": lambda **more: keras.layers.MixUp(1.0, seed=3, **more),
    "RandAugment": lambda **more: keras.layers.RandAugment(seed=3, **more),
    "AugMix": lambda **more: keras.layers.AugMix(num_chains=2, chain_depth=1, seed=3, **more),
}
ALWAYS = (
    "Resizing", "CenterCrop", "MaxNumBoundingBoxes", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization",
)  # fmt: skip
FIXED = (*ALWAYS, "Equalization")
RANDOM = [name for name in LAYERS if name not in FIXED]
KEEP_BYTES = (
    "Resizing", "MaxNumBoundingBoxes", "ContrastLimitedAdaptiveHistogramEqualization", "RandomBrightness",
    "RandomGrayscale",
)  # fmt: skip
every = pytest.mark.parametrize("name", LAYERS)


def numpy(value: Any) -> np.ndarray:
    return np.asarray(backend.to_numpy(value))


def many() -> np.ndarray:
    """Eight times the same image; always as many, so that programs for it are made once."""
    return np.repeat(images("floats")[:1], 8, axis=0)


def pairs() -> np.ndarray:
    """Four times two images."""
    return np.concatenate([images("floats")] * 4)


def test_every_layer_is_here() -> None:
    assert set(LAYERS) == {name.split("/")[0] for name in CASES}


@every
def test_nothing_changes_at_inference(name: str) -> None:
    layer, batch = LAYERS[name](), many()
    outputs = numpy(layer(batch, training=False))
    assert outputs.dtype == np.float32
    if name not in ALWAYS and name != "RandomCrop":
        np.testing.assert_array_equal(outputs, batch)
        # by default layers change, as Keras's do when they are called by themselves
        if name not in ("CutMix", "MixUp", "RandAugment"):
            assert np.abs(numpy(layer(batch)) - batch).max() > 1e-3
    elif name != "MaxNumBoundingBoxes":
        assert outputs.shape != batch.shape or np.abs(outputs - batch).max() > 1e-3


@pytest.mark.parametrize("name", RANDOM)
def test_seeds_and_independence(name: str) -> None:
    layer, again, other = LAYERS[name](), LAYERS[name](), LAYERS[name]()
    other.generator = keras.random.SeedGenerator(4)
    batch = pairs() if name in ("CutMix", "MixUp") else many()
    first, second = numpy(layer(batch, training=True)), numpy(layer(batch, training=True))
    np.testing.assert_array_equal(first, numpy(again(batch, training=True)))
    if name != "RandAugment":  # two of eleven changes may change nothing
        differs = [np.abs(one - first).max() > 1e-4 for one in (second, numpy(other(batch, training=True)))]
        assert any(differs)
    if name not in ("RandomCrop", "RandAugment", "AugMix", "CutMix", "MixUp", "RandomElasticTransform"):
        # each image has its own fate
        assert len({one.round(2).tobytes() for one in first}) > 1


# those whose way hangs on what is drawn, or that write or loop; the others are one program together
DIFFICULT = (
    "Equalization", "ContrastLimitedAdaptiveHistogramEqualization", "RandomCrop", "RandomElasticTransform",
    "RandomErasing", "CutMix", "RandAugment", "AugMix",
)  # fmt: skip


@pytest.mark.parametrize("name", [*DIFFICULT, "others"])
def test_compiled_is_as_eager(name: str) -> None:
    if "compile" not in backend.features or not backend.compile_default:
        pytest.skip("this backend compiles on demand, which its own tests cover")
    simple = [one for one in RANDOM if one not in (*DIFFICULT, "RandomPosterization")]
    names = simple if name == "others" else [name]
    wanted = backend.asarray(pairs())
    for one in names:
        wanted = LAYERS[one]()(wanted, training=True)
    layers = [LAYERS[one]() for one in names]

    def run(x: Any) -> Any:
        for layer in layers:
            x = layer(x, training=True)
        return x

    found = numpy(keras.jit(run)(backend.asarray(pairs())))
    # values at the edges of steps, of bits or bins, may fall to either side
    close = np.isclose(found, numpy(wanted), atol=0.05, rtol=1e-3)
    assert np.mean(~close) < 0.03, (found, wanted)


@every
def test_dtypes(name: str) -> None:
    kept = LAYERS[name]()
    for given, policy, wanted in (
        ("float32", "mixed_float16", "float16"), ("float32", "bfloat16", "bfloat16"), ("uint8", "float32", "float32"),
    ):  # fmt: skip
        layer = type(kept).from_config({**kept.get_config(), "dtype": policy})
        wanted = given if given == "uint8" and name in KEEP_BYTES else wanted
        spec = keras.Input(batch_shape=(2, 8, 6, 3), dtype=given)  # open sizes need two evaluations
        outputs = layer(spec)
        assert outputs.dtype == wanted
        for training in (True, False):
            truth = infer(lambda x, layer=layer, training=training: layer(x, training=training), (spec,), {})
            assert (truth.shape, truth.dtype) == (outputs.shape, wanted), (policy, training)
    if not backend.compile_default:  # elsewhere what was followed is what runs
        half = type(kept).from_config({**kept.get_config(), "dtype": "float16"})
        assert np.all(np.isfinite(numpy(half(many(), training=True)).astype("float32")))


@every
def test_in_a_model_and_its_file(name: str, tmp_path: Path) -> None:
    inputs = keras.Input((8, 6, 3))
    model = keras.Model(inputs, LAYERS[name]()(inputs))
    batch = many()
    wanted = numpy(LAYERS[name]()(batch, training=False))
    np.testing.assert_allclose(numpy(model(batch, training=False)), wanted, atol=1e-3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config() == model.layers[1].get_config()
    np.testing.assert_allclose(numpy(loaded(batch, training=False)), wanted, atol=1e-3)
    open_sizes = keras.Input((None, None, 3))
    assert LAYERS[name]()(open_sizes).shape[-1] == 3


@every
def test_all_parts_of_the_data(name: str) -> None:
    layer = LAYERS[name](bounding_box_format="xyxy")
    data = {"images": images("floats"), **parts("floats"), "name": np.arange(2)}
    outputs = layer(data, training=True)
    assert set(outputs) == set(data)
    boxes = outputs["bounding_boxes"]
    assert tuple(boxes["boxes"].shape) == (*boxes["labels"].shape, 4)
    assert tuple(outputs["segmentation_masks"].shape[:3]) == tuple(outputs["images"].shape[:3])
    kinds = set(np.unique(numpy(outputs["segmentation_masks"])))
    assert kinds <= {0.0, 1.0, 2.0, 3.0}, "masks hold numbers of classes"
    assert tuple(outputs["labels"].shape) == (2, 4)
    np.testing.assert_allclose(numpy(outputs["labels"]).sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(numpy(outputs["name"]), [0, 1])
    alone = {"images": data["images"][0], **parts("single")}
    for key, value in layer(alone, training=True).items():
        whole = outputs[key]
        assert tree.map_structure(lambda one: len(one.shape) + 1, value) == tree.map_structure(
            lambda one: len(one.shape), whole
        )


def test_boxes_follow_the_picture() -> None:
    """A white rectangle, and the box around it, are moved alike."""
    size = 40
    picture = np.zeros((6, size, size, 1), "float32")
    picture[:, 12:22, 10:26] = 255
    box = {"boxes": np.tile(np.array([[[10, 12, 26, 22]]], "float32"), (6, 1, 1)), "labels": np.ones((6, 1), "float32")}
    settings = {"bounding_box_format": "xyxy", "seed": 1}
    for layer in (
        keras.layers.RandomFlip(**settings),
        keras.layers.RandomTranslation(0.2, 0.2, fill_mode="constant", **settings),
        keras.layers.RandomZoom(0.3, 0.2, fill_mode="constant", **settings),
        keras.layers.RandomRotation(0.05, fill_mode="constant", **settings),
        keras.layers.RandomShear(0.2, 0.1, fill_mode="constant", **settings),
        keras.layers.RandomPerspective((1.0, 1.0), 0.3, **settings),
        keras.layers.Resizing(30, 50, bounding_box_format="xyxy"),
        keras.layers.Resizing(30, 50, crop_to_aspect_ratio=True, bounding_box_format="xyxy"),
        keras.layers.Resizing(30, 50, pad_to_aspect_ratio=True, bounding_box_format="xyxy"),
        keras.layers.CenterCrop(30, 34, bounding_box_format="xyxy"),
        keras.layers.RandomCrop(36, 34, **settings),
    ):
        outputs = layer({"images": picture, "bounding_boxes": box}, training=True)
        moved, found = numpy(outputs["images"])[..., 0] > 100, numpy(outputs["bounding_boxes"]["boxes"])[:, 0]
        for white, (left, top, right, bottom) in zip(moved, found, strict=True):
            rows, columns = np.nonzero(white.any(axis=1))[0], np.nonzero(white.any(axis=0))[0]
            seen = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            assert np.abs(seen - [left, top, right, bottom]).max() <= 2.0, (layer.name, seen, found)


def test_distributions() -> None:
    batch = np.zeros((4000, 4, 6, 3), "float32")

    def drawn(layer: Any, key: str) -> np.ndarray:
        return numpy(layer.get_random_transformation(batch, training=True)[key]).reshape(4000, -1)

    layers = keras.layers
    for layer, key, low, high in (
        (layers.RandomBrightness((-0.1, 0.3), seed=1), "rgb_delta", -25.5, 76.5),
        (layers.RandomContrast((0.1, 0.4), seed=1), "contrast_factor", 0.9, 1.4),
        (layers.RandomRotation((-0.1, 0.2), seed=1), "angle", -36, 72),
        (layers.RandomZoom((-0.2, 0.5), seed=1), "height_zoom", 0.8, 1.5),
        (layers.RandomSharpness((0.2, 0.4), seed=1), "factor", 0.2, 0.4),
        (layers.Solarization((0.1, 0.3), seed=1), "additions", 25.5, 76.5),
    ):
        values = drawn(layer, key)[:, 0]
        assert low <= values.min() < low + 0.02 * (high - low) and high - 0.02 * (high - low) < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 0.03 * (high - low)
        assert abs(values.std() - (high - low) / 12**0.5) < 0.03 * (high - low)
    moves = drawn(layers.RandomTranslation((0.0, 0.5), (-0.5, 0.0), seed=1), "translations")
    np.testing.assert_allclose(moves.mean(axis=0), [-1.5, 1.0], atol=0.05)  # across, then down
    hues = drawn(layers.RandomHue((0.2, 0.4), seed=1), "factor")
    assert np.abs(hues).min() >= 0.1 and np.abs(hues).max() <= 0.2 and abs(np.mean(hues > 0) - 0.5) < 0.04
    bits = 8 - drawn(layers.RandomPosterization((2, 5), seed=1), "shift_factor")
    assert set(np.unique(bits)) == {2, 3, 4}
    for layer, key, share in (
        (layers.RandomFlip(seed=1), "flips", 0.5), (layers.RandomInvert((0.2, 0.4), seed=1), "apply_inversion", 0.3),
        (layers.RandomErasing(0.5, seed=1), "apply_erasing", 0.25),
    ):  # fmt: skip
        assert abs(drawn(layer, key).mean() - share) < 0.03
    gray = numpy(layers.RandomGrayscale(0.3, seed=1).get_random_transformation(batch))
    assert abs(gray.mean() - 0.3) < 0.03
    mixed = drawn(layers.MixUp(3.0, seed=1), "mix_weight")
    assert abs(mixed.mean() - 0.5) < 0.02 and abs(mixed.var() - 1 / 28) < 0.004  # of Beta(3, 3)
    kept = drawn(layers.CutMix((1.0, 1.0), seed=1), "mix_weight")
    masks = drawn(layers.CutMix((1.0, 1.0), seed=1), "batch_masks")
    np.testing.assert_allclose(kept[:, 0], 1 - masks.mean(axis=1), atol=1e-5)


def test_erased_areas() -> None:
    batch = np.zeros((2000, 20, 30, 1), "float32")
    layer = keras.layers.RandomErasing((1.0, 1.0), (0.1, 0.2), seed=1)
    masks = numpy(layer.get_random_transformation(batch)["batch_masks"])[..., 0]
    tall, wide = masks.any(axis=2).sum(axis=1), masks.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(masks.sum(axis=(1, 2)), tall * wide)  # rectangles
    assert set(np.unique(tall)) == {6, 7, 8, 9} and wide.min() >= 9 and wide.max() <= 14
    tops = masks.any(axis=2).argmax(axis=1)
    assert tops.min() == 0 and (tops + tall).max() == 20


def test_elastic_fields_grow_with_their_scale() -> None:
    size = 48
    ramp = np.broadcast_to(np.arange(size, dtype="float32")[None, None, :, None], (8, size, size, 1)).copy()
    spreads = []
    for scale in (0.25, 0.5, 1.0):
        layer = keras.layers.RandomElasticTransform((1.0, 1.0), (scale, scale), fill_mode="nearest", seed=1)
        spreads.append((numpy(layer(ramp, training=True)) - ramp)[:, 8:-8, 8:-8].std())
    # Keras's: 1.87 pixels at full strength of 64, and in proportion
    np.testing.assert_allclose(spreads, [1.87 * size / 64 * scale for scale in (0.25, 0.5, 1.0)], rtol=0.3)


def test_pipeline(tmp_path: Path) -> None:
    pipeline = keras.layers.Pipeline([keras.layers.RandomFlip(seed=1), keras.layers.Resizing(4, 5)], name="prepare")
    batch = images("floats")
    flipped = keras.layers.RandomFlip(seed=1)(batch, training=True)
    np.testing.assert_allclose(
        numpy(pipeline(batch, training=True)), numpy(keras.layers.Resizing(4, 5)(flipped)), atol=1e-3
    )
    copy = keras.layers.deserialize(keras.layers.serialize(pipeline))
    assert copy.get_config() == pipeline.get_config() and copy.name == "prepare"
    outputs = copy({"images": batch, "labels": np.eye(2)}, training=False)
    assert outputs["images"].shape == (2, 4, 5, 3) and outputs["labels"].shape == (2, 2)
    inputs = keras.Input((8, 6, 3))
    model = keras.Model(inputs, pipeline(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        numpy(loaded(batch, training=False)), numpy(keras.layers.Resizing(4, 5)(batch)), atol=1e-3
    )


def test_in_dataset_map() -> None:
    flip, resize = keras.layers.RandomFlip(seed=1), keras.layers.Resizing(4, 5)
    batch, labels = images("bytes"), np.array([0, 1])
    dataset = keras.data.Dataset.from_arrays((np.repeat(batch, 4, axis=0), np.repeat(labels, 4)))
    found = list(dataset.map(lambda image, label: (resize(flip(image)), label)).batch(4))
    assert [tuple(one.shape) for one, _ in found] == [(4, 4, 5, 3)] * 2
    assert all(np.isfinite(numpy(one)).all() for one, _ in found)


def test_in_tf_data_map() -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="the input pipeline of TensorFlow")
    layers = [keras.layers.RandomFlip(seed=1), keras.layers.Resizing(4, 5), keras.layers.RandomContrast(0.2, seed=2)]
    dataset = tensorflow.data.Dataset.from_tensor_slices({"images": images("bytes"), "labels": np.eye(2)})
    for layer in layers:
        dataset = dataset.map(lambda data, layer=layer: layer(data, training=True))
    dataset = dataset.repeat(3).batch(4)
    assert dataset.element_spec["images"].shape[1:] == (4, 5, 3)
    batches = dataset.map(lambda data: keras.layers.RandomInvert(0.5)(data["images"]))
    assert [one.shape for one in batches.as_numpy_iterator()] == [(4, 4, 5, 3), (2, 4, 5, 3)]


def test_in_a_collate_function() -> None:
    torch = pytest.importorskip("torch", reason="the loader of torch")
    layer = keras.layers.Resizing(4, 5)

    def collate(rows: list[Any]) -> Any:
        return layer(torch.stack([row[0] for row in rows])), torch.stack([row[1] for row in rows])

    rows = [(torch.from_numpy(one), torch.tensor(number)) for number, one in enumerate(images("floats"))]
    ((found, _),) = torch.utils.data.DataLoader(rows, batch_size=2, collate_fn=collate)
    np.testing.assert_allclose(numpy(found), numpy(layer(images("floats"))), atol=1e-4)


def refused(make: Callable[[], Any], *words: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


def test_bad_input() -> None:
    layers = keras.layers
    batch = images("floats")
    refused(lambda: layers.RandomFlip("sideways"), "sideways", "horizontal")
    refused(lambda: layers.RandomRotation(1.5), "factor", "1.5")
    refused(lambda: layers.RandomZoom(-1.0), "above -1")
    refused(lambda: layers.RandomTranslation(0.1, 0.1, fill_mode="nearst"), "nearest")
    refused(lambda: layers.RandomBrightness(0.1, value_range=(1, 0)), "value_range")
    refused(lambda: layers.RandomPosterization(9), "factor")
    refused(lambda: layers.RandomPosterization(2.5), "whole")
    refused(lambda: layers.RandomContrast((0.5, 1.5)), "factor")
    refused(lambda: layers.Resizing(0, 4), "height")
    refused(lambda: layers.Resizing(4, 4, "bilinaer"), "bilinear")
    refused(lambda: layers.Resizing(4, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "both")
    refused(lambda: layers.RandomFlip(bounding_box_format="xyxx"), "xyxy")
    refused(lambda: layers.MixUp(0), "alpha")
    refused(lambda: layers.Pipeline([1]), "layers")
    refused(lambda: layers.RandomFlip()({"labels": np.eye(2)}), "images")
    refused(lambda: layers.RandomFlip()(np.zeros((2, 3))), "rank 3")
    boxes = parts("floats")["bounding_boxes"]
    refused(
        lambda: layers.Resizing(4, 4)({"images": batch, "bounding_boxes": boxes}), "bounding_box_format"
    )
    refused(
        lambda: layers.Resizing(4, 4, bounding_box_format="xyxy")({"images": batch, "bounding_boxes": boxes["boxes"]}),
        "labels",
    )
    refused(lambda: layers.RandomHue(0.1)(batch[..., :2]), "channels")
