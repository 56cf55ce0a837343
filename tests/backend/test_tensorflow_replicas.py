"""Training on several replicas of a tf.distribute strategy equals training on one device."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hornbeam.backend import active

pytestmark = pytest.mark.skipif(active.name != "tensorflow", reason="strategies are TensorFlow's")


@pytest.fixture(scope="module")
def results():
    program = Path(__file__).with_name("replicas_program.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(next(one for one in done.stdout.splitlines() if one.startswith("RESULT "))[7:])


@pytest.mark.parametrize(
    "what",
    [
        "fit", "weighted", "eager", "own step", "own loop", "statistics", "one device", "distributed dataset",
        "datasets from a function", "endless distributed dataset", "endless without steps",
    ],
)
def test_replicas_equal_one_device(results, what):
    assert results[what] < 1e-5
