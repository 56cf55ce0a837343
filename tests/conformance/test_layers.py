"""All layers but those of sequences: the tests of their rows; and what holds for all tables of layers."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.layers.layer import Layer
from tests import keras_oracle
from tests.conformance.all_layers import ROWS
from tests.conformance.check_layer import to_numpy
from tests.conformance.layer_checks import make_tests
from tests.known_gaps import FAIL_IN_KERAS, LAYER_ORACLE_GAPS
from tests.layers.mask_cases import CASES
from tests.layers.oracle import ARRAYS, FACTS, FAILS_IN_KERAS
from tests.layers.preprocessing import image_cases, text_cases

globals().update(make_tests("", "more", "preprocessing"))


def test_the_table_is_whole() -> None:
    named = {
        value.__name__
        for value in (getattr(keras.layers, name) for name in keras.layers.__all__)
        if isinstance(value, type)
        and issubclass(value, Layer)
        and value not in (Layer, keras.layers.InputLayer, keras.layers.Wrapper)
    }
    # those that take text, and those that change at random unless told not to, have tables of their own; those around
    # what is another framework's are tested on its backend
    elsewhere = {case.layer for case in text_cases.CASES.values()} | {"TorchModuleWrapper", "Pipeline"}
    elsewhere |= {"FlaxLayer", "JaxLayer", "TFSMLayer"} | {name.split("/")[0] for name in image_cases.CASES}
    assert {row.layer for row in ROWS} == named - elsewhere
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_every_row_was_recorded() -> None:
    assert {row.name for row in ROWS} == {name for name in FACTS if not name.startswith("mask|")}
    # what Keras cannot do is listed, so that nothing is left out unseen
    assert set(FAIL_IN_KERAS) == FAILS_IN_KERAS


READ = """
wrong = {}
for name, config in given.items():
    try:
        layer = keras.layers.deserialize(json.loads(json.dumps(config)))  # Keras takes parts out of what it gets
        again = json.loads(json.dumps(keras.layers.serialize(layer)))
        if again["config"] != config["config"]:
            wrong[name] = [again["config"], config["config"]]
    except Exception as problem:
        wrong[name] = str(problem)
print(json.dumps(wrong))
"""


def test_keras_reads_our_configs() -> None:
    keras.utils.clear_session()  # names that count up would make another question of it each time
    configs = {
        row.name: keras.layers.serialize(row.make(keras))
        for row in ROWS
        if row.layer != "Lambda" and f"{row.name}/config" not in LAYER_ORACLE_GAPS
    }
    assert keras_oracle.tell(READ, configs) == {}


@pytest.mark.filterwarnings("ignore:.*does not support and so loses.*:UserWarning")
@pytest.mark.parametrize("name", [name for name in CASES if f"mask|{name}" in ARRAYS])
def test_masks(name: str) -> None:
    np.testing.assert_allclose(to_numpy(CASES[name](keras))[0], ARRAYS[f"mask|{name}"], rtol=1e-6, atol=1e-6)
