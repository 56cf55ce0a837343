"""Bad arguments and bad inputs: errors of the house that name the layer and what came, after which all still works."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.errors import HornbeamError

L = keras.layers


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


ARGUMENTS = [
    (lambda: L.Dense(0), "units.*0"),
    (lambda: L.Dense(-3), "units.*-3"),
    (lambda: L.Dense(2.5), r"units.*2\.5"),
    (lambda: L.Dense("3"), "units.*'3'"),
    (lambda: L.Dense(True), "units.*True"),
    (lambda: L.Dense(3, activation="rellu"), "Did you mean 'relu'"),
    (lambda: L.Dense(3, activation=7), "7"),
    (lambda: L.Dense(3, kernel_initializer="glorot"), "glorot"),
    (lambda: L.Dense(3, kernel_regularizer="l9"), "'l9'"),
    (lambda: L.Dense(3, bias_constraint="max"), "'max'"),
    (lambda: L.Dense(3, lora_rank=0), "lora_rank.*0"),
    (lambda: L.Dense(3, lora_rank=2, lora_alpha="x"), "lora_alpha.*'x'"),
    (lambda: L.Dense(3, lora_rank=2, kernel_constraint="non_neg"), "kernel_constraint"),
    (lambda: L.Dense(3, quantization_config={}), "quantization_config"),
    (lambda: L.Embedding(0, 3), "input_dim"),
    (lambda: L.Embedding(3, None), "output_dim"),
    (lambda: L.Embedding(3, 2, weights=[ones(4, 2)]), r"\(3, 2\).*\(4, 2\)"),
    (lambda: L.Conv2D(0, 3), "filters"),
    (lambda: L.Conv2D(4, (3, 3, 3)), "kernel_size"),
    (lambda: L.Conv2D(4, 0), "kernel_size"),
    (lambda: L.Conv2D(4, 3, strides=0), "strides"),
    (lambda: L.Conv2D(4, 3, strides=(1, "2")), "strides"),
    (lambda: L.Conv2D(4, 3, padding="causal"), "padding.*'causal'"),
    (lambda: L.Conv1D(4, 3, padding="full"), "padding.*'full'"),
    (lambda: L.Conv1D(4, 3, padding="causal", data_format="channels_first"), "channels_last"),
    (lambda: L.Conv2D(4, 3, data_format="channels_middle"), "channels_middle"),
    (lambda: L.Conv2D(4, 3, dilation_rate=-1), "dilation_rate"),
    (lambda: L.Conv2D(4, 3, strides=2, dilation_rate=2), "strides or dilation_rate"),
    (lambda: L.Conv2D(4, 3, groups=3), "divisible"),
    (lambda: L.Conv2D(4, 3, groups=0), "groups"),
    (lambda: L.MaxPooling2D(0), "pool_size"),
    (lambda: L.MaxPooling2D((2, 2, 2)), "pool_size"),
    (lambda: L.AveragePooling1D(2, strides=-1), "strides"),
    (lambda: L.AveragePooling1D(2, padding="half"), "'half'"),
    (lambda: L.GlobalMaxPooling2D(data_format="nhwc"), "nhwc"),
    (lambda: L.Reshape((-1, -1)), "-1"),
    (lambda: L.Reshape((0, 2)), "target_shape"),
    (lambda: L.Permute((0, 1)), "permutation"),
    (lambda: L.Permute((1, 1)), "permutation"),
    (lambda: L.RepeatVector(0), "n"),
    (lambda: L.RepeatVector(1.5), r"1\.5"),
    (lambda: L.Dropout(1.5), r"between 0 and 1.*1\.5"),
    (lambda: L.Dropout(-0.1), r"-0\.1"),
    (lambda: L.Dropout("half"), "'half'"),
    (lambda: L.Dropout(0.5, seed="x"), "'x'"),
    (lambda: L.BatchNormalization(axis="last"), "'last'"),
    (lambda: L.BatchNormalization(momentum=2), "momentum=2"),
    (lambda: L.BatchNormalization(renorm=True, renorm_clipping={"max": 1}), "rmin"),
    (lambda: L.Activation("swosh"), "'swosh'"),
    (lambda: L.ReLU(max_value=-1), "max_value=-1"),
    (lambda: L.ReLU(negative_slope=None), "negative_slope=None"),
    (lambda: L.LeakyReLU(-0.5), r"negative_slope=-0\.5"),
    (lambda: L.Dot(axes=0), "axes=0"),
    (lambda: L.Dot(axes=(1, 2, 3)), r"axes=\(1, 2, 3\)"),
    (lambda: L.Lambda("x + 1"), "'x \\+ 1'"),
    (lambda: L.InputLayer(), "neither"),
    (lambda: keras.Input((2,), batch_shape=(1, 2)), "both"),
    (lambda: keras.Input(("a",)), "'a'"),
    (lambda: keras.Input((2,), dtype="float31"), "float31"),
]


@pytest.mark.parametrize(("make", "says"), ARGUMENTS)
def test_bad_arguments(make: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=says) as caught:
        make()
    assert isinstance(caught.value, HornbeamError)


# a layer, an input that does not fit, what the error says, and an input that does
INPUTS = [
    (lambda: L.Dense(3, name="it"), ones(4), r"at least 2 axes.*shape=\(4,\)", ones(2, 4)),
    (lambda: L.Conv1D(3, 2, name="it"), ones(2, 4), r"at least 3 axes.*shape=\(2, 4\)", ones(2, 4, 3)),
    (lambda: L.Conv2D(3, 2, name="it"), ones(2, 4, 4), r"at least 4 axes.*shape=\(2, 4, 4\)", ones(2, 4, 4, 3)),
    (lambda: L.Conv2D(3, 9, name="it"), ones(2, 4, 4, 3), r"\(9, 9\).*shape=\(2, 4, 4, 3\)", ones(2, 9, 9, 3)),
    (lambda: L.Conv2D(4, 1, groups=2, name="it"), ones(2, 4, 4, 3), "divisible by groups.*3", ones(2, 4, 4, 2)),
    (lambda: L.MaxPooling2D(5, name="it"), ones(2, 4, 4, 3), r"shape=\(2, 4, 4, 3\)", ones(2, 5, 5, 3)),
    (lambda: L.MaxPooling1D(2, name="it"), ones(2, 4), r"3 axes.*shape=\(2, 4\)", ones(2, 4, 3)),
    (lambda: L.GlobalAveragePooling2D(name="it"), ones(2, 4), r"4 axes.*shape=\(2, 4\)", ones(2, 4, 4, 3)),
    (lambda: L.Reshape((3, 3), name="it"), ones(2, 4), r"\(3, 3\).*shape=\(2, 4\)", ones(2, 9)),
    (lambda: L.Reshape((-1, 3), name="it"), ones(2, 4), r"shape=\(2, 4\)", ones(2, 6)),
    (lambda: L.Permute((2, 1), name="it"), ones(2, 4), r"3 axes.*shape=\(2, 4\)", ones(2, 4, 3)),
    (lambda: L.RepeatVector(2, name="it"), ones(2, 4, 3), r"2 axes.*shape=\(2, 4, 3\)", ones(2, 4)),
    (lambda: L.BatchNormalization(axis=3, name="it"), ones(2, 4), r"2 axes.*axis=3", ones(2, 2, 2, 4)),
    (lambda: L.LayerNormalization(axis=3, name="it"), ones(2, 4), "axis.*3|3.*axis", ones(2, 2, 2, 4)),
    (lambda: L.Add(name="it"), [ones(2, 4), ones(2, 3)], r"\(2, 4\).*\(2, 3\)", [ones(2, 4), ones(2, 4)]),
    (lambda: L.Add(name="it"), ones(2, 4), "list of at least", [ones(2, 4), ones(2, 4)]),
    (lambda: L.Subtract(name="it"), [ones(2, 4)] * 3, "two tensors.*3", [ones(2, 4)] * 2),
    (lambda: L.Concatenate(name="it"), [ones(2, 4), ones(3, 4)], r"\(2, 4\).*\(3, 4\)", [ones(2, 4), ones(2, 1)]),
    (lambda: L.Concatenate(axis=5, name="it"), [ones(2, 4)] * 2, "5", [ones(1, 1, 1, 1, 1, 1)] * 2),
    (lambda: L.Dot(axes=1, name="it"), [ones(2, 4), ones(2, 3)], r"\(2, 4\).*\(2, 3\)", [ones(2, 4)] * 2),
    (lambda: L.Dot(axes=1, name="it"), [ones(2, 4)] * 3, "two tensors.*3", [ones(2, 4)] * 2),
    (lambda: L.SpatialDropout1D(0.5, name="it"), ones(2, 4), r"3 axes.*shape=\(2, 4\)", ones(2, 4, 3)),
]


@pytest.mark.parametrize(("make", "wrong", "says", "right"), INPUTS)
def test_bad_inputs(make: Any, wrong: Any, says: str, right: Any) -> None:
    layer = make()
    for _ in range(2):
        with pytest.raises((ValueError, TypeError), match=says) as caught:
            layer(wrong)
        assert isinstance(caught.value, HornbeamError)
        assert "it" in str(caught.value) or any("'it'" in note for note in caught.value.__notes__)
        assert layer.weights == []
    before = layer(right)
    assert before is not None
    # a built layer refuses too, and keeps its weights
    weights = layer.get_weights()
    with pytest.raises((ValueError, TypeError)):
        layer(wrong)
    for one, other in zip(weights, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert layer(right) is not None


@pytest.mark.parametrize(("make", "wrong", "says", "right"), INPUTS)
def test_bad_symbolic_inputs(make: Any, wrong: Any, says: str, right: Any) -> None:
    layer = make()
    symbols = (
        [keras.Input(batch_shape=one.shape) for one in wrong]
        if isinstance(wrong, list)
        else keras.Input(batch_shape=wrong.shape)
    )
    with pytest.raises((ValueError, TypeError)) as caught:
        layer(symbols)
    assert isinstance(caught.value, HornbeamError)
    assert layer(right) is not None


def test_sizes_that_must_be_known() -> None:
    for layer, shape in ((L.Dense(2), (None,)), (L.Conv2D(2, 1), (4, 4, None)), (L.BatchNormalization(), (None,))):
        with pytest.raises(ValueError, match="a known number of"):
            layer(keras.Input(shape))


@pytest.mark.skipif("jax_functions" in backend.features, reason="the backend takes functions of JAX")
@pytest.mark.parametrize("make", [
    lambda: keras.layers.JaxLayer(lambda inputs: inputs),
    lambda: keras.layers.FlaxLayer(SimpleNamespace(init=len, apply=len)),
])  # fmt: skip
def test_layers_of_jax_say_which_backend_they_need(make):
    with pytest.raises(NotImplementedError, match="HORNBEAM_BACKEND=jax"):
        make()
