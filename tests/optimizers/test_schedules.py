"""Schedules inside optimizers and compiled functions, schedules of the user's own, and bad arguments."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

from .cases import SCHEDULES

schedules = keras.optimizers.schedules


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps=0"),
    (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), ValueError, "decay_steps=-1"),
    (lambda: schedules.CosineDecay(0.1, 0), ValueError, "decay_steps=0"),
    (lambda: schedules.CosineDecayRestarts(0.1, 0), ValueError, "first_decay_steps=0"),
    (lambda: schedules.PolynomialDecay(0.1, 0), ValueError, "decay_steps=0"),
    (lambda: schedules.PiecewiseConstantDecay([1, 2], [1.0]), ValueError, "2 boundaries and 1 values"),
    (lambda: schedules.LearningRateSchedule()(1), NotImplementedError, "__call__"),
    (lambda: schedules.LearningRateSchedule().get_config(), NotImplementedError, "get_config"),
])
def test_bad_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.skipif("compile" not in backend.features, reason="this backend does not compile")
@pytest.mark.parametrize("row", SCHEDULES)
def test_schedules_compile(row):
    cls, given, named = SCHEDULES[row]
    schedule = getattr(schedules, cls)(*given, **named)
    compiled = keras.jit(lambda step: schedule(step))
    for step in (0, 5, 12):
        np.testing.assert_allclose(
            float(compiled(keras.ops.convert_to_tensor(step))), float(np.asarray(schedule(step))), rtol=1e-5, atol=1e-7
        )


class Halved(schedules.LearningRateSchedule):
    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start * 0.5 ** keras.ops.cast(step, "float32")

    def get_config(self):
        return {"start": self.start}


def test_a_schedule_of_the_users_own():
    v = keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(Halved(1.0))
    for _ in range(3):
        optimizer.apply([keras.ops.ones(1)], [v])
    assert float(v[0]) == -1.75
    assert float(optimizer.learning_rate) == 0.125
    config = keras.optimizers.serialize(optimizer)
    again = keras.optimizers.deserialize(config, custom_objects={"Halved": Halved})
    assert isinstance(again._schedule, Halved)


def test_configs_without_a_module_load():
    made = schedules.deserialize({
        "class_name": "ExponentialDecay",
        "config": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
    })
    assert isinstance(made, schedules.ExponentialDecay)
