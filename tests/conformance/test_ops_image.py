"""The ops of images against Keras: the tests of their rows, and what no row can say."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import ops
from tests.conformance.family_checks import make_tests

globals().update(make_tests("image"))

PHOTO = np.random.default_rng(0).random((2, 6, 8, 3)).astype("float32")


def test_blurring_keeps_a_constant_inside() -> None:
    blurred = ops.convert_to_numpy(ops.image.gaussian_blur(np.ones((1, 9, 9, 3), "float32"), (5, 3), (2.0, 0.5)))
    np.testing.assert_allclose(blurred[0, 2:-2, 1:-1], 1, rtol=1e-6)


def test_colours_come_back() -> None:
    again = ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(PHOTO))
    np.testing.assert_allclose(ops.convert_to_numpy(again), PHOTO, atol=1e-6)


def test_elastic_displacements_depend_on_the_seed() -> None:
    first, again, other = (ops.convert_to_numpy(ops.image.elastic_transform(PHOTO, seed=one)) for one in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_single_images_and_bytes_keep_their_form() -> None:
    image = (PHOTO[0] * 255).astype("uint8")
    for call in (
        lambda x: ops.image.resize(x, (3, 4)), ops.image.gaussian_blur,
        lambda x: ops.image.affine_transform(x, [1.0, 0, 0.5, 0, 1, 0, 0, 0]), ops.image.elastic_transform,
    ):
        result = call(image)
        assert ops.dtype(result) == "uint8" and len(result.shape) == 3


def test_bad_input_is_refused_in_words() -> None:
    for call, text in (
        (lambda: ops.image.resize(PHOTO[0, 0], (2, 2)), "rank 3 or a batch"),
        (lambda: ops.image.resize(PHOTO, 3), "height and width"),
        (lambda: ops.image.resize(PHOTO, (2, 2), interpolation="bilnear"), "Did you mean 'bilinear'"),
        (lambda: ops.image.rgb_to_grayscale(PHOTO[..., :2]), "1 or 3 channels"),
        (lambda: ops.image.pad_images(PHOTO, 1, 1), "exactly two"),
        (lambda: ops.image.crop_images(PHOTO, 9, 0, 0, 0), "something left"),
        (lambda: ops.image.extract_patches(PHOTO, 9), "at least 9"),
        (lambda: ops.image.affine_transform(PHOTO, np.ones(6)), r"\[8\]"),
        (lambda: ops.image.map_coordinates(PHOTO[0, 0], np.ones((3, 2)), 1), "one row per axis"),
        (lambda: ops.image.ssim(PHOTO, PHOTO), "at least 11"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
    with pytest.raises(TypeError, match="Divide by 255"):
        ops.image.rgb_to_hsv((PHOTO * 255).astype("uint8"))
