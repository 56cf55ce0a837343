"""The Keras guide's first program, word for word, under `hornbeam run`: every block of it, on few of the digits."""

import importlib.util
import re

import numpy as np
import pytest

from hornbeam.backend import active as backend
from tests.cli.test_run import hornbeam
from tests.needs import needs_gradients

pytestmark = needs_gradients


@pytest.fixture(scope="module")
def blocks(shared) -> list[str]:
    text = next((shared / "seeds").glob("002_*.txt")).read_text()
    found = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(found) == 15
    return found


# The one thing added: less data, so that minutes become seconds.
FEWER = """
_all_of_mnist = keras.datasets.mnist.load_data
def _few():
    (x, y), (x_test, y_test) = _all_of_mnist()
    return (x[:512], y[:512]), (x_test[:256], y_test[:256])
keras.datasets.mnist.load_data = _few
"""


def test_every_block_of_the_guide_runs(blocks, tmp_path, shared):
    missing = [name for name in ("torch", "tensorflow") if importlib.util.find_spec(name) is None]
    kept = [block for block in blocks if not any(f"import {name}" in block for name in missing)]
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").symlink_to(shared / "data" / "mnist.npz")
    (tmp_path / "guide.py").write_text("\n".join([kept[0], FEWER, *kept[1:], "np.save('predictions', predictions)"]))
    done = hornbeam(
        "run", "guide.py", cwd=tmp_path, HORNBEAM_BACKEND=backend.name, KERAS_HOME=str(tmp_path), KERAS_MAX_EPOCHS="2"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for part in (
        'Model: "sequential"',
        "global_average_pooling2d",
        "(None, 24, 24, 64)",
        "Total params: 260,298 (1016.79 KB)",
        "Epoch 2/2",
        "val_acc",
    ):
        assert part in done.stdout
    assert {"model_at_epoch_1.keras", "model_at_epoch_2.keras", "final_model.keras"} <= {
        one.name for one in tmp_path.iterdir()
    }
    predictions = np.load(tmp_path / "predictions.npy")
    assert predictions.shape == (256, 10)
    np.testing.assert_allclose(predictions.sum(-1), 1, atol=1e-5)
