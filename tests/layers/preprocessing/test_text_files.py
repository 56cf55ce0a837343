"""Files with text and lookup layers: vocabularies in assets, weights of idf, and what loading must not read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

LAYERS = {
    "string adapted": lambda: keras.layers.StringLookup(),
    "string tf_idf": lambda: keras.layers.StringLookup(output_mode="tf_idf"),
    "string multi_hot": lambda: keras.layers.StringLookup(output_mode="multi_hot", mask_token=""),
    "string given": lambda: keras.layers.StringLookup(vocabulary=["b", "x"]),
    "string given tf_idf": lambda: keras.layers.StringLookup(
        vocabulary=["b", "x"], output_mode="tf_idf", idf_weights=[1.0, 0.5]
    ),
}
DATA = np.array([["b", "a\nnew"], ["x", "b"], ["é", ""]])


def number_layer(name: str) -> Any:
    layer = LAYERS[name]()
    if "given" not in name:
        layer.adapt(DATA)
    return layer


def values(outputs: Any) -> np.ndarray:
    return np.asarray(backend.to_numpy(outputs))


@pytest.mark.parametrize("name", [*LAYERS])
def test_round_trip(name: str, tmp_path: Path) -> None:
    layer = number_layer(name)
    inputs = keras.Input((2,), dtype="string")
    model = keras.Model(inputs, layer(inputs))
    wanted = values(model(DATA))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(values(loaded(DATA)), wanted)
    loaded.save(tmp_path / "again.keras")
    np.testing.assert_array_equal(values(keras.models.load_model(tmp_path / "again.keras")(DATA)), wanted)


def test_the_vocabulary_is_an_asset_with_one_token_a_line(tmp_path: Path) -> None:
    layer = keras.layers.StringLookup()
    layer.adapt(["b", "b", "c", "a"])
    inputs = keras.Input((1,), dtype="string")
    keras.Model(inputs, layer(inputs)).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert archive.read("assets/layers/string_lookup/vocabulary.txt") == b"[UNK]\nb\nc\na"


def test_a_vocabulary_file_is_read_once_and_kept_in_the_assets(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes("x\r\ny\r\né\r\n".encode())
    layer = keras.layers.StringLookup(vocabulary=str(tmp_path / "words.txt"))
    assert layer.get_vocabulary() == ["[UNK]", "x", "y", "é"]
    inputs = keras.Input((1,), dtype="string")
    keras.Model(inputs, layer(inputs)).save(tmp_path / "model.keras")
    (tmp_path / "words.txt").unlink()
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_vocabulary() == layer.get_vocabulary()


def hostile(folder: Path, path: str) -> Path:
    """A model whose config names a file as the vocabulary."""
    layer = keras.layers.StringLookup(vocabulary=["x"], name="lookup")
    inputs = keras.Input((1,), dtype="string")
    keras.Model(inputs, layer(inputs)).save(folder / "good.keras")
    with zipfile.ZipFile(folder / "good.keras") as good, zipfile.ZipFile(folder / "bad.keras", "w") as bad:
        for info in good.infolist():
            data = good.read(info)
            if info.filename == "config.json":
                data = data.replace(b'["x"]', json.dumps(path).encode())
                assert path.encode() in data
            bad.writestr(info, data)
    return folder / "bad.keras"


def test_loading_reads_no_file_that_a_config_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("password\n")
    file = hostile(tmp_path, str(secret))
    model = keras.models.load_model(file)
    assert "password" not in str(model.layers[1].get_vocabulary())
    with pytest.raises(ValueError, match=r"names the path .*secret\.txt.*set_vocabulary"):
        model(np.array([["password"]]))
    trusted = keras.models.load_model(file, safe_mode=False)
    assert trusted.layers[1].get_vocabulary() == ["[UNK]", "password"]


def test_a_layer_of_ones_own_may_name_a_path(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("x\ny")
    layer = keras.layers.StringLookup(vocabulary=tmp_path / "words.txt")
    assert layer.get_vocabulary(include_special_tokens=False) == ["x", "y"]
    with pytest.raises(FileNotFoundError, match="vocabulary file"):
        keras.layers.StringLookup(vocabulary=str(tmp_path / "none.txt"))
