"""to_categorical and normalize against NumPy, for arrays, lists and tensors."""

import numpy as np
import pytest

from hornbeam.backend import active as backend
from hornbeam.utils.numerical import normalize, to_categorical


@pytest.mark.parametrize(
    ("labels", "classes", "shape"),
    [
        ([0, 2, 1], None, (3, 3)),
        ([[0], [2]], 4, (2, 4)),
        ([[[0], [2]]], None, (1, 2, 3)),
        ([[0, 1], [2, 0]], 3, (2, 2, 3)),
        (3, 5, (5,)),
        ([True, False], 2, (2, 2)),
        ([1.0, 0.0], None, (2, 2)),
        ([], 4, (0, 4)),
    ],
)
def test_to_categorical(labels, classes, shape):
    result = to_categorical(labels, classes)
    assert isinstance(result, np.ndarray) and result.dtype == "float64" and result.shape == shape
    numbers = np.asarray(labels)
    numbers = numbers[..., 0] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers
    assert np.array_equal(result.sum(-1), np.ones(shape[:-1]))
    assert np.array_equal(result.argmax(-1), numbers) or result.size == 0


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0.5], [float("nan")], ["a"], [None]])
def test_to_categorical_refuses(labels):
    with pytest.raises(ValueError, match="to_categorical"):
        to_categorical(labels, 3)


def test_to_categorical_needs_classes_for_nothing():
    with pytest.raises(ValueError, match="num_classes"):
        to_categorical([])


def test_tensors_give_tensors():
    result = to_categorical(backend.asarray(np.array([1, 0], "int32")), 2)
    assert backend.is_array(result)
    assert np.asarray(backend.to_numpy(result)).tolist() == [[0, 1], [1, 0]]
    result = normalize(backend.asarray(np.array([[3.0, 4.0]], "float32")))
    assert backend.is_array(result) and backend.dtype(result) == "float32"
    np.testing.assert_allclose(backend.to_numpy(result), [[0.6, 0.8]], rtol=1e-6)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("axis", [-1, 0, 1, (0, 1)])
def test_normalize(order, axis):
    x = np.random.default_rng(0).normal(size=(4, 5))
    norm = np.sum(np.abs(x) ** order, axis=axis, keepdims=True) ** (1 / order)
    np.testing.assert_allclose(normalize(x, axis, order), x / norm, rtol=1e-12)


@pytest.mark.parametrize("x", [[[0.0, 0.0]], [[3, 4]], [[1e200, 1e200]], [[1e-200, 0.0]]])
def test_normalize_extremes(x):
    result = normalize(x)
    length = np.linalg.norm(result)
    assert length == pytest.approx(1) if np.any(x) else length == 0


def test_normalize_keeps_dtype_and_shape():
    assert normalize(np.ones((2, 3), "float32")).dtype == "float32"
    assert normalize(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("order", [0, -1, 1.5, float("inf"), "2", True])
def test_normalize_refuses_order(order):
    with pytest.raises(ValueError, match="order"):
        normalize([[1.0]], order=order)


def test_normalize_refuses_words():
    with pytest.raises(TypeError, match="real numbers"):
        normalize(["a"])
