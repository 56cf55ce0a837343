"""`LossScaleOptimizer` leaves out steps that overflow; `MultiOptimizer` gives each variable its own optimizer."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

from .test_optimizer import assert_unchanged, everything, ones, variable

eager_and_compiled = pytest.mark.parametrize("wrap", [
    pytest.param(lambda one: one, id="eager"),
    pytest.param(keras.jit, id="compiled", marks=pytest.mark.skipif(
        "compile" not in backend.features, reason="this backend does not compile"
    )),
])


@eager_and_compiled
def test_the_loss_scale_falls_and_rises_and_bad_steps_are_left_out(wrap):
    v = variable()
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.1), initial_scale=8.0, dynamic_growth_steps=3
    )
    optimizer.build([v])

    @wrap
    def step(gradient):
        optimizer.apply([gradient], [v])

    scales, counts = [], []
    for number, bad in enumerate([0, 0, 0, 0, 1, 1, 0, 0, 0, 0]):
        before = everything(optimizer.inner_optimizer, [v])
        gradient = 8 * ones
        if bad:
            gradient = np.array([1.0, np.nan if number % 2 else np.inf], "float32")
        step(gradient)
        if bad:
            assert_unchanged(before, everything(optimizer.inner_optimizer, [v]))
        scales.append(float(optimizer.dynamic_scale))
        counts.append(int(optimizer.step_counter))
    assert scales == [8, 8, 16, 16, 8, 4, 4, 4, 8, 8]
    assert counts == [1, 2, 0, 1, 0, 0, 1, 2, 0, 1]
    assert int(optimizer.iterations) == 8
    assert np.isfinite(v.numpy()).all()


def test_gradients_are_divided_by_the_scale_also_where_float16_cannot_hold_it():
    for dtype in ("float32", "float16"):
        v = variable(dtype=dtype)
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=2.0**17)
        optimizer.apply([backend.asarray(2.0**15 * ones, dtype)], [v])
        assert v.numpy().tolist() == [0.875, 1.875]


def test_the_loss_is_scaled_before_and_after_build():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(loss_scale_factor=2.0), initial_scale=4.0)
    assert float(optimizer.scale_loss(3.0)) == 24.0
    optimizer.build([variable()])
    optimizer.dynamic_scale.assign(8.0)
    assert float(optimizer.scale_loss(3.0)) == 48.0


def test_check_finite():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    assert bool(optimizer.check_finite([ones, None]))
    assert not bool(optimizer.check_finite([ones, np.array([np.nan], "float32")]))


def test_the_loss_scale_optimizer_passes_on_what_is_the_inner_ones():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5))
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == float(optimizer.learning_rate) == 0.25
    v = variable()
    for _ in range(2):
        optimizer.apply([2.0**15 * ones], [v])
    optimizer.finalize_variable_values([v])
    assert v.numpy().tolist() == [0.625, 1.625]


def test_the_state_and_config_of_the_loss_scale_optimizer():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1, name="a"), 8.0, name="o")
    optimizer.build([variable()])
    assert [one.path for one in optimizer.variables] == [
        "o/iteration", "o/learning_rate", "o/step_counter", "o/dynamic_scale",
        "a/iteration", "a/learning_rate", "a/v_momentum", "a/v_velocity",
    ]
    config = keras.optimizers.serialize(optimizer)
    assert set(config["config"]) == {"name", "inner_optimizer", "initial_scale", "dynamic_growth_steps"}
    again = keras.optimizers.deserialize(config)
    assert again.get_config() == optimizer.get_config()
    trained, own = optimizer.stateless_apply([one.value for one in optimizer.variables], [8 * ones], [variable().value])
    assert backend.to_numpy(trained[0])[0] == pytest.approx(0.9, abs=1e-5)
    assert int(own[2]) == 1
    assert int(optimizer.step_counter) == 0


@pytest.mark.parametrize(("make", "error"), [
    (lambda: keras.optimizers.LossScaleOptimizer("adam"), TypeError),
    (lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), clipnorm=1.0), ValueError),
    (lambda: keras.optimizers.OptimizerMap("adam"), TypeError),
    (lambda: keras.optimizers.OptimizerMap(keras.optimizers.SGD(), {"a": "adam"}), ValueError),
    (lambda: keras.optimizers.OptimizerMap(keras.optimizers.SGD(), {"(": keras.optimizers.SGD()}), ValueError),
    (lambda: keras.optimizers.MultiOptimizer({"a": keras.optimizers.SGD()}), TypeError),
], ids=["inner", "option", "default", "member", "expression", "map"])
def test_bad_arguments_are_refused(make, error):
    with pytest.raises(error):
        make()


def chosen():
    return keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(0.5, name="rest"), {".*bias": keras.optimizers.Adam(0.1, name="biases")}
    )


def test_the_map_matches_whole_paths():
    found = chosen()
    found["exact"] = exact = keras.optimizers.Lion()
    assert len(found) == 2
    assert list(found) == [".*bias", "exact"]
    assert found["exact"] is exact
    assert found["exact/kernel"] is found.default_optimizer
    assert found["dense/bias"].name == "biases"
    with pytest.raises(ValueError, match="Delete it first"):
        found["exact"] = keras.optimizers.SGD()
    del found["exact"]
    assert "exact" not in found
    found["dense/.*"] = keras.optimizers.SGD()
    with pytest.raises(ValueError, match="one optimizer for the variable 'dense/bias'"):
        found["dense/bias"]
    again = keras.optimizers.OptimizerMap.from_config(found.get_config())
    assert again.get_config() == found.get_config()


@eager_and_compiled
def test_each_variable_is_trained_by_its_optimizer(wrap):
    kernel, bias = variable([1.0], "kernel"), variable([1.0], "bias")
    optimizer = keras.optimizers.MultiOptimizer(chosen(), name="m")
    optimizer.build([kernel, bias])

    @wrap
    def step(first, second):
        optimizer.apply([first, second], [kernel, bias])

    for _ in range(2):
        step(ones[:1], ones[:1])
    assert float(kernel[0]) == 0.0
    assert float(bias[0]) == pytest.approx(0.8, abs=1e-5)
    assert [one.path for one in optimizer.variables] == [
        "m/iteration", "m/learning_rate", "biases/iteration", "biases/learning_rate", "biases/bias_momentum",
        "biases/bias_velocity", "rest/iteration", "rest/learning_rate",
    ]
    assert [one.name for one in optimizer.optimizers] == ["biases", "rest"]
    assert int(optimizer.iterations) == 2


def test_the_multi_optimizer_has_a_config_a_loss_scale_and_no_learning_rate():
    optimizer = keras.optimizers.MultiOptimizer(chosen(), loss_scale_factor=4.0)
    assert float(optimizer.scale_loss(1.0)) == 4.0
    kernel = variable([1.0], "kernel")
    optimizer.apply([4 * ones[:1]], [kernel])
    assert kernel.numpy().tolist() == [0.5]
    with pytest.raises(AttributeError, match="each with its own"):
        _ = optimizer.learning_rate
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


def test_a_failed_step_of_several_optimizers_changes_nothing():
    kernel, bias = variable([1.0], "kernel"), variable([1.0], "bias")
    optimizer = keras.optimizers.MultiOptimizer(chosen())
    optimizer.build([kernel, bias])
    before = everything(optimizer, [kernel, bias])
    with pytest.raises(ValueError, match="shape"):
        optimizer.apply([ones[:1], ones], [kernel, bias])
    assert_unchanged(before, everything(optimizer, [kernel, bias]))
