"""The ops of mathematics against Keras: the tests of their rows, and what no row can say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from hornbeam import ops
from hornbeam.backend import active as backend
from tests.conformance.family_checks import make_tests

globals().update(make_tests("math"))


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_plain_error_functions_are_good_to_a_few_units_in_the_last_place(name: str, dtype: str) -> None:
    if dtype == "float64" and backend.narrowed:
        pytest.skip("this backend has no double precision")
    if name == "erfinv":
        near = 1 - np.logspace(-7 if dtype == "float32" else -16, -1, 200)
        x = np.concatenate([np.linspace(-0.999, 0.999, 2001), near]).astype(dtype)
    else:
        x = np.linspace(-9, 9, 3001).astype(dtype)
    got = np.asarray(getattr(ops, name).definition.plain(ops.convert_to_tensor(x, dtype)), "float64")
    wanted = getattr(special, name)(x.astype("float64"))
    # below the smallest normal number digits are lost
    size = np.maximum(np.abs(wanted), 1e-36 if dtype == "float32" else 1e-290)
    assert np.max(np.abs(got - wanted) / size) < 40 * np.finfo(dtype).eps


def test_a_signal_comes_back_from_its_transform() -> None:
    x = np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
    for window in ("hann", "hamming", None):
        again = ops.istft(ops.stft(x, 16, 4, 16, window=window), 16, 4, 16, window=window)
        np.testing.assert_allclose(ops.convert_to_numpy(again), x, atol=1e-4)


def test_segments_without_a_number_are_counted() -> None:
    assert ops.convert_to_numpy(ops.segment_sum([1, 2, 4], [0, 0, 2])).tolist() == [3, 0, 4]


def test_targets_that_name_no_class_are_in_no_top_k() -> None:
    scores = np.ones((3, 2), "float32")
    assert ops.convert_to_numpy(ops.in_top_k([-1, 5, 1], scores, 2)).tolist() == [False, False, True]


def test_bad_input_is_refused_in_words() -> None:
    x = np.ones((2, 8), "float32")
    for call, text in (
        (lambda: ops.top_k(x, 9), "size of the last axis"),
        (lambda: ops.in_top_k([1], x, 1), "one axis more"),
        (lambda: ops.segment_sum(x, [0]), "one for each row"),
        (lambda: ops.stft(x, 8, 4, 6), "not below"),
        (lambda: ops.stft(x, 8, 4, 8, window="hanning"), "Known: hamming, hann"),
        (lambda: ops.stft(x[:, :3], 8, 4, 8), "longer than 4"),
        (lambda: ops.view_as_complex(x), "size 2"),
        (lambda: ops.cdist(x, x[:, :3]), "points"),
        (lambda: ops.logdet(x), "square"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
