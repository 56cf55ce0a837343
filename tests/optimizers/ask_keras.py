"""Runs every row of the table on PyPI's keras and writes what came out; a fixture runs it through `keras_oracle`."""

import json

import keras
import numpy as np
from cases import CASES, SCHEDULE_STEPS, SCHEDULES, STEPS, gradients, make, start


def run(cls: str, arguments: dict) -> tuple[dict, dict]:
    optimizer = make(keras, cls, {**arguments, "name": "o"})
    variables = [keras.Variable(value, name=name) for name, value in start().items()]
    optimizer.build(variables)
    arrays: dict[str, np.ndarray] = {}
    for step in range(STEPS):
        optimizer.apply(gradients(step), variables)
        for variable in variables:
            arrays[f"{step}/{variable.name}"] = np.asarray(variable.value)
    for place, variable in enumerate(optimizer.variables):
        arrays[f"state/{place}"] = np.asarray(variable.value)
    facts = {
        "paths": [one.path for one in optimizer.variables],
        "config": keras.optimizers.serialize(optimizer),
        "rate": float(optimizer.learning_rate),
    }
    optimizer.finalize_variable_values(variables)
    for variable in variables:
        arrays[f"final/{variable.name}"] = np.asarray(variable.value)
    return arrays, facts


def main(target: str) -> None:
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, dict] = {}
    for name, (cls, arguments) in CASES.items():
        try:
            mine, facts[name] = run(cls, arguments)
        except Exception as error:
            facts[name] = {"error": f"{type(error).__name__}: {error}"}
            continue
        arrays.update({f"{name}/{key}": value for key, value in mine.items()})
    for name, (cls, given, named) in SCHEDULES.items():
        schedule = getattr(keras.optimizers.schedules, cls)(*given, **named)
        arrays[f"schedule/{name}"] = np.array([np.asarray(schedule(step)) for step in SCHEDULE_STEPS])
        facts[f"schedule/{name}"] = {"config": keras.optimizers.schedules.serialize(schedule)}
    arrays["facts"] = np.array(json.dumps(facts))
    np.savez(target, **arrays)
