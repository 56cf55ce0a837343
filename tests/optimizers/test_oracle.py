"""Ten steps of every optimizer, with every option, against keras; schedules, configs and states as well."""

import json

import numpy as np
import pytest

import hornbeam as keras

from .cases import CASES, SCHEDULE_STEPS, SCHEDULES, STEPS, gradients, make, start

# the state that keras leaves without a name of its own, or gives twice
UNNAMED = ("nadam", "adafactor")


def near(mine, theirs, what, tolerance=1e-6):
    # as a part of the largest number: float32 has no more
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max()), err_msg=what)


@pytest.mark.parametrize("row", CASES)
def test_ten_steps_equal_those_of_keras(oracle, row):
    facts = oracle.facts[row]
    assert "error" not in facts
    optimizer = make(keras, CASES[row][0], {**CASES[row][1], "name": "o"})
    variables = [keras.Variable(value, name=name) for name, value in start().items()]
    optimizer.build(variables)
    for step in range(STEPS):
        optimizer.apply(gradients(step), variables)
        for variable in variables:
            near(variable.numpy(), oracle(row, f"{step}/{variable.name}"), f"{variable.name} after step {step}")
    paths = [one.path for one in optimizer.variables]
    assert len(paths) == len(facts["paths"]) == len(set(paths))
    if not row.startswith(UNNAMED):
        assert paths == facts["paths"]
    for place, one in enumerate(optimizer.variables):
        theirs = oracle(row, f"state/{place}")
        assert one.shape == theirs.shape, one.path
        near(one.numpy(), theirs, one.path, tolerance=3e-6)
    assert float(optimizer.learning_rate) == pytest.approx(facts["rate"], rel=1e-6)
    optimizer.finalize_variable_values(variables)
    for variable in variables:
        near(variable.numpy(), oracle(row, f"final/{variable.name}"), f"{variable.name} at the end")


@pytest.mark.parametrize("row", CASES)
def test_configs_equal_those_of_keras_and_come_back(oracle, row):
    optimizer = make(keras, CASES[row][0], {**CASES[row][1], "name": "o"})
    written = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    assert written == oracle.facts[row]["config"]
    again = keras.optimizers.deserialize(written)
    assert type(again) is type(optimizer)
    assert json.loads(json.dumps(keras.optimizers.serialize(again))) == written


@pytest.mark.parametrize("row", SCHEDULES)
def test_schedules_equal_those_of_keras(oracle, row):
    cls, given, named = SCHEDULES[row]
    schedule = getattr(keras.optimizers.schedules, cls)(*given, **named)
    mine = [float(np.asarray(schedule(step))) for step in SCHEDULE_STEPS]
    np.testing.assert_allclose(mine, oracle.arrays[f"schedule/{row}"], rtol=0, atol=1e-7)
    written = json.loads(json.dumps(keras.optimizers.schedules.serialize(schedule)))
    assert written == oracle.facts[f"schedule/{row}"]["config"]
    again = keras.optimizers.schedules.deserialize(written)
    assert again.get_config() == schedule.get_config()
    assert float(np.asarray(again(7))) == mine[7]
