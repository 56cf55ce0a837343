"""The TensorBoard callback writes the events that Keras writes, and nothing else is loaded for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from tests.callbacks.tensorboard_cases import CASES, events, train
from tests.needs import needs, needs_gradients

pytestmark = [
    needs("tensorboard", reason="the callback writes with the tensorboard package"),
    needs_gradients,
]
ORACLE = json.loads(Path(__file__).with_name("tensorboard_oracle.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_events_are_those_of_keras(case, tmp_path):
    train(keras, case, str(tmp_path))
    assert sorted(events(str(tmp_path))) == sorted(ORACLE[case])


def test_scalars_are_the_history(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = train(keras, "plain", str(tmp_path))
    for folder, prefix in (("train", ""), ("validation", "val_")):
        seen = EventAccumulator(str(tmp_path / folder), size_guidance={"tensors": 0})
        seen.Reload()
        values = [one.tensor_proto.float_val[0] for one in seen.Tensors("epoch_loss")]
        np.testing.assert_allclose(values, model.history.history[f"{prefix}loss"], rtol=1e-6)


def test_embeddings_for_the_projector(tmp_path):
    model = keras.Sequential([keras.layers.Embedding(5, 2, name="words"), keras.layers.Flatten()])
    model.build((None, 1))
    model.compile("sgd", "mse")
    callback = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "words.txt"})
    model.fit(np.arange(4)[:, None], np.ones((4, 2)), verbose=0, callbacks=[callback])
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "words.tsv"' in config and 'metadata_path: "words.txt"' in config
    written = np.loadtxt(tmp_path / "words.tsv", delimiter="\t")
    np.testing.assert_allclose(written, model.layers[0].embeddings.numpy(), rtol=1e-5)


def test_embeddings_of_an_unknown_layer(tmp_path):
    model = keras.Sequential([keras.layers.Embedding(5, 2, name="words"), keras.layers.Flatten()])
    model.build((None, 1))
    model.compile("sgd", "mse")
    callback = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"wrods": "words.txt"})
    with pytest.raises(ValueError, match="Did you mean 'words'"):
        model.fit(np.arange(4)[:, None], np.ones((4, 2)), verbose=0, callbacks=[callback])


@pytest.mark.parametrize(
    "arguments",
    [
        {"histogram_freq": -1},
        {"update_freq": 0},
        {"update_freq": "often"},
        {"profile_batch": (3, 2)},
        {"profile_batch": "a"},
    ],
)
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="TensorBoard"):
        keras.callbacks.TensorBoard(**arguments)


def test_tensorflow_is_not_loaded():
    if backend.name == "tensorflow":
        pytest.skip("the backend is TensorFlow")
    code = (
        "import sys, tempfile, numpy as np, hornbeam as keras\n"
        "m = keras.Sequential([keras.layers.Dense(1)]); m.compile('sgd', 'mse')\n"
        "c = keras.callbacks.TensorBoard(tempfile.mkdtemp(), histogram_freq=1)\n"
        "m.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[c])\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
