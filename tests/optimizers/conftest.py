"""What keras makes of every row of the table, from a process of its own, once per session."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


class Oracle:
    """The recorded results: `oracle(row, key)` is an array, `oracle.facts[row]` what else was seen."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.arrays = {name: file[name] for name in file.files if name != "facts"}
            self.facts = json.loads(str(file["facts"]))

    def __call__(self, row: str, key: str) -> np.ndarray:
        return self.arrays[f"{row}/{key}"]


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    pytest.importorskip("keras")
    target = tmp_path_factory.mktemp("oracle") / "optimizers.npz"
    script = Path(__file__).with_name("record_oracle.py")
    done = subprocess.run([sys.executable, script, target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Oracle(target)
