"""A file saved on one backend gives the same predictions on the others, and so do its weights written here again."""

import numpy as np
import pytest

import hornbeam as keras

from .record_everywhere import FOLDER, MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_file_predicts_the_same_on_every_backend(name, tmp_path):
    kept = np.load(FOLDER / f"{name}.npz")
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    np.testing.assert_allclose(model.predict(kept["inputs"], verbose=0), kept["outputs"], atol=1e-5, rtol=1e-5)
    model.save_weights(tmp_path / "again.weights.h5")
    other = MODELS[name]()
    other.load_weights(tmp_path / "again.weights.h5")
    np.testing.assert_allclose(other.predict(kept["inputs"], verbose=0), kept["outputs"], atol=1e-5, rtol=1e-5)
