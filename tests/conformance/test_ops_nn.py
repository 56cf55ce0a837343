"""The ops of neural networks against Keras: the tests of their rows, and what no row can say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hornbeam import KerasTensor, ops
from hornbeam._wire import find
from hornbeam.backend import active as backend
from tests.conformance.family_checks import make_tests
from tests.needs import needs_gradients

globals().update(make_tests("nn"))

X = np.ones((2, 5, 5, 4), "float32")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.conv(X, np.ones((3, 3, 3, 2), "float32")), "channels in groups"),
        (lambda: ops.conv(X, np.ones((6, 6, 4, 2), "float32")), "at least 6"),
        (lambda: ops.conv(X, np.ones((3, 4, 2), "float32")), "rank 4"),
        (lambda: ops.conv(X[0, 0], np.ones((1, 4), "float32")), "spatial axes"),
        (lambda: ops.conv(X, np.ones((3, 3, 4, 2), "float32"), padding="smae"), "Did you mean 'same'"),
        (lambda: ops.conv(X, np.ones((3, 3, 4, 2), "float32"), strides=0), "at least 1"),
        (lambda: ops.depthwise_conv(X, np.ones((3, 3, 2, 2), "float32")), "as many channels"),
        (lambda: ops.conv_transpose(X, np.ones((3, 3, 2, 3), "float32")), "as many channels"),
        (lambda: ops.max_pool(X, 6), "at least 6"),
        (lambda: ops.max_pool(X, (2, 2, 2)), "2 integers"),
        (lambda: ops.one_hot([1], None), "num_classes"),
        (lambda: ops.binary_crossentropy(np.ones(3), np.ones((1, 3))), "same shape"),
        (lambda: ops.categorical_crossentropy(np.ones((2, 3)), np.ones((2, 2))), "same shape"),
        (lambda: ops.sparse_categorical_crossentropy(np.ones(3, "int32"), np.ones((2, 3))), "without axis 1"),
        (lambda: ops.batch_normalization(X, np.ones(3), np.ones(3), -1), r"shape \(4,\)"),
        (lambda: ops.layer_normalization(X, np.ones(3)), r"shape \(4,\)"),
        (lambda: ops.normalize(X, order=0), "from 1 on"),
        (lambda: ops.glu(np.ones((2, 3))), "even"),
        (lambda: ops.dot_product_attention(X[0], X[0], X[0]), "rank 4"),
        (lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], strategy="greed"), "Did you mean 'greedy'"),
        (lambda: ops.space_to_depth(X, 2), "multiple of 2"),
    ],
)
def test_bad_input_is_refused_in_words(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


@needs_gradients
@pytest.mark.parametrize("plain", [False, True], ids=["kernel", "plain"])
@pytest.mark.parametrize(
    ("name", "options", "at", "wanted"),
    [
        ("relu", {}, 0.0, 0.0), ("softplus", {}, 0.0, 0.5), ("softplus", {}, 200.0, 1.0), ("sigmoid", {}, 0.0, 0.25),
        ("sigmoid", {}, -200.0, 0.0), ("sigmoid", {}, 200.0, 0.0), ("log_sigmoid", {}, -200.0, 1.0),
        ("elu", {}, 200.0, 1.0), ("selu", {}, 200.0, 1.0507010), ("celu", {}, 200.0, 1.0), ("softsign", {}, 0.0, 1.0),
        ("silu", {}, 0.0, 0.5), ("silu", {}, -200.0, 0.0), ("gelu", {"approximate": False}, 0.0, 0.5),
        ("gelu", {"approximate": False}, 1e4, 1.0), ("squareplus", {"b": 0}, 0.0, 0.5), ("sparse_plus", {}, 1e20, 1.0),
        ("normalize", {"axis": 0}, [0.0, 0.0], None), ("normalize", {"axis": 0, "order": 3}, [0.0, 0.0], None),
        ("norm", {}, [0.0, 0.0], [0.0, 0.0]), ("norm", {"ord": 3}, [0.0, 0.0], [0.0, 0.0]),
        ("log_softmax", {}, [0.0, -np.inf], None), ("softmax", {}, [0.0, -np.inf], None),
        ("logsumexp", {}, [0.0, -np.inf], [1.0, 0.0]), ("erf", {}, 0.0, 1.1283792),
    ],
)  # fmt: skip
def test_gradients_are_finite_at_kinks_and_far_out(name: str, options: Any, at: Any, wanted: Any, plain: bool) -> None:
    definition = getattr(ops, name).definition
    function = definition.plain if plain else definition.eager
    if plain and name == "logsumexp":
        pytest.skip("a maximum of -inf has a gradient of its own in the plain form")
    x = ops.convert_to_tensor(at, "float32")

    def first(x: Any) -> tuple[Any, None]:
        result = function(x, **options)
        return (ops.ravel(result)[0] if result.shape else result), None

    gradient = ops.convert_to_numpy(backend.value_and_grad(first, [x])[2][0])
    assert np.isfinite(gradient).all()
    if wanted is not None:
        np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=1e-6)


@needs_gradients
def test_cross_entropy_of_zero_logits_has_the_right_gradient() -> None:
    x = ops.zeros((1, 3))
    target = np.array([[0.0, 1.0, 0.0]], "float32")
    for loss, wanted in (
        (lambda x: ops.binary_crossentropy(target, x, from_logits=True), 0.5 - target),
        (lambda x: ops.categorical_crossentropy(target, x, from_logits=True), 1 / 3 - target),
        (lambda x: ops.sparse_categorical_crossentropy([1], x, from_logits=True), 1 / 3 - target),
    ):
        gradient = backend.value_and_grad(lambda x, loss=loss: (ops.sum(loss(x)), None), [x])[2][0]
        np.testing.assert_allclose(np.asarray(gradient), wanted, rtol=1e-5)


def test_impossible_classes_of_minus_infinity_cost_nothing() -> None:
    logits = np.array([[0.0, 0.0, -np.inf]], "float32")
    loss = ops.categorical_crossentropy(np.array([[1.0, 0.0, 0.0]], "float32"), logits, from_logits=True)
    np.testing.assert_allclose(ops.convert_to_numpy(loss), [np.log(2)], rtol=1e-6)


def test_half_precision_cross_entropy_is_finite() -> None:
    for dtype in ("float16", "bfloat16"):
        sure = ops.cast([[0.0, 1.0]], dtype)
        assert np.isfinite(np.asarray(ops.convert_to_numpy(ops.binary_crossentropy(sure, 1 - sure)), "float32")).all()


def test_sparsemax_sums_to_one() -> None:
    result = ops.convert_to_numpy(ops.sparsemax(np.random.default_rng(0).normal(0, 5, (20, 7)).astype("float32")))
    np.testing.assert_allclose(result.sum(-1), 1, rtol=1e-5)
    assert (result >= 0).all() and (result == 0).any()


def test_fold_adds_up_what_unfold_took_apart() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype("float32")
    again = ops.fold(ops.unfold(x, 2, stride=2), (6, 6), 2, stride=2)
    np.testing.assert_allclose(ops.convert_to_numpy(again), x)


def test_nodes_written_by_keras_give_tensors_by_position() -> None:
    operation = find("keras.src.ops.nn.BatchNorm")(axis=-1, epsilon=0.0, name="bn")
    x, ones = np.full((1, 2), 3.0, "float32"), np.ones(2, "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(operation(x, ones, ones, 5 * ones, 2 * ones)), [[9.0, 9.0]])
    symbol = operation(KerasTensor((None, 2)), KerasTensor((2,)), KerasTensor((2,)), None, None)
    assert symbol.shape == (None, 2)
