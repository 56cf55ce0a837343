"""`Layer`: what a call does with training, masks and structures, its losses, and calls without side effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from tests.layer_base_cases import L, Scale, needs_compile, numpy, ones
from tests.needs import needs_gradients

# --- calls -------------------------------------------------------------------------------------------------------


class Spy(L.Layer):
    """Remembers what it was called with."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x: Any, training: Any = None, mask: Any = None, factor: float = 1.0) -> Any:
        self.seen = {"training": training, "mask": mask, "factor": factor}
        return x * factor


def test_training_is_that_of_the_call_or_of_the_enclosing_one() -> None:
    class Outer(L.Layer):
        def __init__(self, **given: Any) -> None:
            super().__init__()
            self.spy = Spy()
            self.given = given

        def call(self, x: Any, training: Any = None) -> Any:
            return self.spy(x, **self.given)

    class Silent(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.spy = Spy()

        def call(self, x: Any) -> Any:
            return self.spy(x)

    for given, inner, expected in (
        (None, {}, None),
        (True, {}, True),
        (False, {}, False),
        (True, {"training": False}, False),
    ):
        layer = Outer(**inner)
        layer(ones(1, 2), training=given)
        assert layer.spy.seen["training"] is expected
    layer = Outer()
    layer(ones(1, 2), True)
    assert layer.spy.seen["training"] is True
    # a layer that takes no `training` hands it on all the same
    silent = Silent()
    silent(ones(1, 2), training=True)
    assert silent.spy.seen["training"] is True
    silent(ones(1, 2))
    assert silent.spy.seen["training"] is None


def test_own_default_of_training() -> None:
    class Default(L.Layer):
        def call(self, x: Any, training: bool = True) -> Any:
            self.seen = training
            return x

    layer = Default()
    layer(ones(1, 2))
    assert layer.seen is True
    layer(ones(1, 2), training=False)
    assert layer.seen is False


def test_own_keyword_arguments() -> None:
    spy = Spy()
    assert numpy(spy(ones(1, 2), factor=3.0)).tolist() == [[3.0, 3.0]]
    assert spy.seen["factor"] == 3.0
    x = keras.Input((2,))
    model = keras.Model(x, spy(x, factor=4.0))
    assert numpy(model(ones(1, 2))).tolist() == [[4.0, 4.0]]
    with pytest.raises(TypeError, match="unexpected keyword argument 'fcator'"):
        spy(ones(1, 2), fcator=3.0)


def test_any_keyword() -> None:
    class Open(L.Layer):
        def call(self, x: Any, **rest: Any) -> Any:
            self.rest = rest
            return x

    layer = Open()
    layer(ones(1, 2), a=1, training=True)
    assert layer.rest == {"a": 1, "training": True}


def test_masks_are_filled_in_and_given_ones_come_first() -> None:
    spy = Spy()
    masked = L.Masking()(np.array([[[1.0], [0.0]]], "float32"))
    spy(masked)
    assert numpy(spy.seen["mask"]).tolist() == [[True, False]]
    spy(masked, mask=keras.ops.convert_to_tensor([[False, False]]))
    assert numpy(spy.seen["mask"]).tolist() == [[False, False]]


def test_masks_of_two_tensors() -> None:
    class Attend(L.Layer):
        def call(self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None) -> Any:
            self.seen = [None if one is None else numpy(one).tolist() for one in (query_mask, value_mask)]
            return query

    layer = Attend()
    masked = L.Masking()(np.array([[[1.0], [0.0]]], "float32"))
    with pytest.warns(UserWarning, match="supports_masking"):
        layer(masked, value=ones(1, 2, 1))
    assert layer.seen == [[[True, False]], None]
    layer(ones(1, 2, 1), masked)
    assert layer.seen == [None, [[True, False]]]


def test_a_mask_that_gets_lost_is_reported_once() -> None:
    layer = Scale()
    masked = L.Masking()(ones(1, 2, 3))
    with pytest.warns(UserWarning, match="supports_masking"):
        layer(masked)
    layer(masked)


def test_arrays_lists_and_structures_of_inputs() -> None:
    class Sum(L.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs["a"] + inputs["b"][0]

    assert numpy(Sum()({"a": ones(1, 2), "b": [ones(1, 2), ones(3, 2)]})).tolist() == [[2.0, 2.0]]
    assert keras.backend.standardize_dtype(L.Dense(2)(np.ones((2, 3), "float64")).dtype) == "float32"
    assert L.Dense(2)(keras.Variable(ones(2, 3))).shape == (2, 2)


def test_errors_name_the_layer_and_what_came() -> None:
    layer = L.Dense(3, name="last")
    layer(ones(2, 4))
    with pytest.raises(ValueError, match=r"Dense 'last'.*size 4 in axis -1.*shape=\(2, 5\)"):
        layer(ones(2, 5))
    with pytest.raises(ValueError, match=r"at least 2 axes.*shape=\(4,\)"):
        layer(ones(4))
    assert layer(ones(2, 4)).shape == (2, 3)

    class Broken(L.Layer):
        def call(self, x: Any) -> Any:
            raise ZeroDivisionError("inside")

    with pytest.raises(ZeroDivisionError) as caught:
        Broken(name="broken")(ones(2, 3))
    assert any("'broken'" in one and "shape=(2, 3)" in one for one in caught.value.__notes__)
    # nothing of the failed call is left in the context
    spy = Spy()
    spy(ones(1, 2))
    assert spy.seen["training"] is None


# --- losses ------------------------------------------------------------------------------------------------------


class Lossy(L.Layer):
    """Adds the sum of its input as a loss."""

    def call(self, x: Any) -> Any:
        self.add_loss(keras.ops.sum(x))
        return x


class Losses(L.Layer):
    """Layers with losses of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.lossy = Lossy()
        self.dense = L.Dense(
            1,
            kernel_initializer="ones",
            kernel_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(0.25),
        )

    def call(self, x: Any) -> Any:
        self.add_loss([keras.ops.sum(x) * 10, None])
        return self.dense(self.lossy(x))


def test_losses_are_those_of_the_last_call() -> None:
    layer = Losses()
    for size in (2, 3, 3):
        layer(ones(size, 2))
        assert sorted(float(one) for one in layer.losses) == sorted(
            [size * 20, size * 2, 0.5, 1.0]
        )  # activity is taken per sample
    layer.lossy(ones(1, 1))
    assert [float(one) for one in layer.lossy.losses] == [1.0]


def test_losses_of_a_failed_call_do_not_stay() -> None:
    class Fails(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.lossy, self.fail = Lossy(), True

        def call(self, x: Any) -> Any:
            x = self.lossy(x)
            if self.fail:
                raise RuntimeError("no")
            return x

    layer = Fails()
    with pytest.raises(RuntimeError):
        layer(ones(1, 1))
    layer.fail = False
    layer(ones(1, 1))
    assert [float(one) for one in layer.losses] == [1.0]


def test_a_layer_used_twice_adds_twice() -> None:
    class Twice(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.lossy = Lossy()

        def call(self, x: Any) -> Any:
            return self.lossy(self.lossy(x) * 2)

    layer = Twice()
    layer(ones(1, 1))
    assert [float(one) for one in layer.losses] == [1.0, 2.0]


@needs_compile
def test_losses_inside_a_compiled_function() -> None:
    layer = Losses()
    layer(ones(1, 2))

    @keras.jit
    def total(x: Any) -> Any:
        layer(x)
        layer(x)  # counts alone
        return sum(layer.losses)

    for size in (2, 4):
        assert float(total(ones(size, 2))) == size * 20 + size * 2 + 0.5 + 1.0
    # outside, the losses of the last call outside are left
    assert float(sum(layer.losses)) == 20 + 2 + 0.5 + 1


@needs_gradients
def test_losses_have_gradients() -> None:
    layer = Losses()
    layer(ones(1, 2))

    def loss() -> Any:
        layer(ones(3, 2))
        return sum(layer.losses)

    value, gradients = keras.value_and_grad(loss, layer.trainable_variables)
    assert float(value) == 60 + 6 + 0.5 + 1
    assert numpy(gradients[0]).tolist() == [[0.5 + 0.25], [0.5 + 0.25]]


def test_symbolic_calls_add_no_losses() -> None:
    layer = Losses()
    model = keras.Model(x := keras.Input((2,)), layer(x))
    assert len(model.losses) == 1  # that of the kernel
    model(ones(2, 2))
    assert len(model.losses) == 4


def test_a_function_is_no_loss() -> None:
    with pytest.raises(TypeError, match="scalar tensor"):
        L.Layer().add_loss(lambda: 1.0)


# --- pure calls --------------------------------------------------------------------------------------------------


def test_stateless_call() -> None:
    layer = L.BatchNormalization(momentum=0.5)
    layer.build((None, 2))
    trainable = [one.value * 0 + 2 for one in layer.trainable_variables]
    frozen = [one.value for one in layer.non_trainable_variables]
    x = np.array([[0.0, 0.0], [2.0, 4.0]], "float32")
    outputs, state = layer.stateless_call(trainable, frozen, x, training=True)
    np.testing.assert_allclose(numpy(outputs), [[0, 0], [4, 4]], atol=1e-2)
    assert numpy(state[0]).tolist() == [0.5, 1.0] and numpy(state[1]).tolist() == [1.0, 2.5]
    assert layer.moving_mean.numpy().tolist() == [0.0, 0.0]
    outputs, _, losses = L.Dense(1, kernel_regularizer="l2", name="d")(x) is not None and _lossy_dense().stateless_call(
        [np.full((2, 1), 3.0, "float32"), np.zeros(1, "float32")], [], x, return_losses=True
    )
    assert float(losses[0]) == pytest.approx(0.18)
    for bad in (trainable[:1], [*trainable, trainable[0]]):
        with pytest.raises(ValueError, match="2 trainable values"):
            layer.stateless_call(bad, frozen, x)
    with pytest.raises(ValueError, match="2 non-trainable values"):
        layer.stateless_call(trainable, [], x)
    with pytest.raises(ValueError, match="built"):
        L.Dense(1).stateless_call([], [], x)


def _lossy_dense() -> Any:
    layer = L.Dense(1, kernel_regularizer="l2")
    layer.build((None, 2))
    return layer
