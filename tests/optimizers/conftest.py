"""What keras makes of every row of the table."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests import keras_oracle


class Oracle:
    """The recorded results: `oracle(row, key)` is an array, `oracle.facts[row]` what else was seen."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.arrays = {name: file[name] for name in file.files if name != "facts"}
            self.facts = json.loads(str(file["facts"]))

    def __call__(self, row: str, key: str) -> np.ndarray:
        return self.arrays[f"{row}/{key}"]


@pytest.fixture(scope="session")
def oracle():
    tables = tuple(Path(__file__).with_name(name) for name in ("cases.py", "ask_keras.py"))
    # on NumPy the whole table takes ten seconds; on JAX, with the same results to rounding, seven minutes
    program = "import ask_keras; ask_keras.main(folder + '/out.npz')"
    return Oracle(keras_oracle.ask(program, tables=tables) / "out.npz")
