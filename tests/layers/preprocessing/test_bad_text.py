"""Bad input to layers on text, and models that were not made for text: named, refused, or handled as documented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

layers = keras.layers
TEXTS = np.array(["good film", "bad film", "so good", "very bad"] * 4, dtype=object)
LABELS = np.array([1, 0, 1, 0] * 4, "float32")

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "unknown token": (
        lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "zzz"]), ValueError, "zzz.*num_oov",
    ),
    "unknown number": (
        lambda: layers.IntegerLookup(vocabulary=[1], num_oov_indices=0)(np.array([7])), ValueError, "7.*num_oov",
    ),
    "unknown number in a tensor": (
        lambda: layers.IntegerLookup(vocabulary=[1], num_oov_indices=0)(keras.ops.convert_to_tensor([1, 7])),
        ValueError, "7.*num_oov",
    ),
    "never adapted": (lambda: layers.TextVectorization()(["a"]), ValueError, "^TextVectorization .*adapt"),
    "adapt with a vocabulary": (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, "learn it"),
    "text adapt with a vocabulary": (
        lambda: layers.TextVectorization(vocabulary=["a"]).adapt(["b"]), ValueError, "learn it",
    ),
    "a symbolic call before adapt": (
        lambda: layers.TextVectorization(output_mode="count")(keras.Input((1,), dtype="string")), ValueError, "adapt",
    ),
    "category out of range": (
        lambda: layers.CategoryEncoding(3, output_mode="one_hot")([0, 3]), ValueError, "from 0 to 2, got 3",
    ),
    "negative category": (lambda: layers.CategoryEncoding(3)([[0, -1]]), ValueError, "got -1"),
    "None among texts": (lambda: _adapted()(["a", None]), TypeError, "None.*position 1"),
    "NaN among texts": (lambda: _adapted()(np.array(["a", np.nan], dtype=object)), TypeError, "nan.*position 1"),
    "None far behind": (
        lambda: _adapted()(["a" * 40] * 9000 + [None]), TypeError, "position 9000",
    ),
    "numbers for texts": (lambda: _adapted()(np.array([1.5])), TypeError, "texts"),
    "NaN for whole numbers": (
        lambda: layers.IntegerLookup(vocabulary=[1])(np.array([np.nan], "float32").tolist()), ValueError, "NaN",
    ),
    "two columns of texts": (lambda: _adapted()([["a", "b"]]), ValueError, "one text for each sample"),
    "data that are no texts": (lambda: layers.TextVectorization().adapt(np.ones(3)), TypeError, "texts"),
    "inputs and targets": (
        lambda: layers.TextVectorization().adapt(iter([(np.array(["a"], dtype=object), np.ones(1))])),
        TypeError, "lambda x, y: x",
    ),
    "no data": (lambda: layers.TextVectorization().adapt([]), ValueError, "at least one"),
}  # fmt: skip


def _adapted() -> Any:
    layer = layers.TextVectorization()
    layer.adapt(["a b", "b"])
    return layer


@pytest.mark.parametrize("name", [*BAD])
def test_bad_input(name: str) -> None:
    function, error, text = BAD[name]
    with pytest.raises(error, match=text):
        function()


def test_a_failed_adapt_leaves_the_vocabulary() -> None:
    layer = _adapted()
    before = layer.get_vocabulary()
    with pytest.raises(TypeError):
        layer.adapt(iter([["c c c"], [None]]))
    assert layer.get_vocabulary() == before
    layer.adapt(["d"])
    assert layer.get_vocabulary() == ["", "[UNK]", "d"]


def test_bytes_that_are_no_text_are_kept_and_told_apart() -> None:
    texts = np.array([b"caf\xe9 \xff\xfe", b"caf\xe8 caf\xe9"], dtype=object)
    layer = layers.TextVectorization()
    layer.adapt(texts)
    assert len(layer.get_vocabulary()) == 5
    found = np.asarray(backend.to_numpy(layer(texts)))
    assert found[0, 0] == found[1, 1] != found[1, 0] and (found > 1).all()
    latin = layers.StringLookup(vocabulary=["café"], encoding="latin-1")
    assert np.asarray(backend.to_numpy(latin(np.array([b"caf\xe9"], dtype=object)))).tolist() == [1]


class Subclassed(keras.Model):
    """A model that is no graph, so that nobody knows beforehand that it takes texts."""

    def __init__(self) -> None:
        super().__init__()
        self.vectorize = layers.TextVectorization(output_sequence_length=3)
        self.vectorize.adapt(TEXTS)
        self.embed = layers.Embedding(self.vectorize.vocabulary_size(), 4)
        self.choose = layers.Dense(1, activation="sigmoid")

    def call(self, inputs: Any) -> Any:
        return self.choose(keras.ops.mean(self.embed(self.vectorize(inputs)), axis=1))


def test_a_subclassed_model_takes_texts() -> None:
    model = Subclassed()
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    if "gradients" in backend.features:
        model.fit(TEXTS, LABELS, epochs=15, verbose=0)
        assert model.evaluate(TEXTS, LABELS, verbose=0)[1] == 1.0
    assert model.predict(TEXTS, verbose=0).shape == (16, 1)
    assert len(model.evaluate(TEXTS, LABELS, verbose=0)) == 2
