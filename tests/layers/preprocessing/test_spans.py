"""Tokens as spans of one text, against the same with a Python object for each token."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.layers.preprocessing.spans import TokenCounter, TokenTable, split

generator = np.random.default_rng(7)


def random_texts(count: int, longest: int, letters: bytes) -> list[bytes]:
    """Texts of tokens of all lengths, with runs of spaces, empty ones among them."""
    texts = []
    for _ in range(count):
        lengths = generator.integers(0, longest, generator.integers(0, 30))
        signs = np.frombuffer(letters, np.uint8)
        texts.append(b" ".join(bytes(generator.choice(signs, length)) for length in lengths))
    return texts


CORPORA = {
    "few letters": random_texts(200, 5, b"ab"),
    "all lengths": random_texts(200, 45, b"abcdefgh"),
    "beginnings in common": [b"a" * length for length in range(1, 50)] * 3,
    "all signs": random_texts(100, 12, bytes(sign for sign in range(1, 256) if sign != ord(" "))),
    "one empty": [b""],
    "empty ones": [b"", b"  ", b"a", b""],
}


@pytest.mark.parametrize("name", [*CORPORA])
def test_split_and_tables(name: str) -> None:
    texts = CORPORA[name]
    wanted = [[one for one in text.split(b" ") if one] for text in texts]
    spans = split(b"\0".join(texts))
    assert spans.counts.tolist() == [len(one) for one in wanted]
    tokens = [token for text in wanted for token in text]
    assert spans.tokens(np.arange(len(tokens))) == tokens
    known = [*dict.fromkeys(tokens)][::2]
    index = {token: place for place, token in enumerate(known)}
    half = len(known) // 2
    table = TokenTable([b"", b"\0", b"a\0b", *known[:half]], [-7, -8, -9, *range(half)])
    table.add(known[half:], np.arange(half, len(known)))
    assert table.look_up(spans, -1).tolist() == [index.get(token, -1) for token in tokens]


@pytest.mark.parametrize("name", [*CORPORA])
def test_counter(name: str) -> None:
    texts = CORPORA[name]
    counter = TokenCounter(documents=True)
    for start in range(0, len(texts), 7):
        counter.update(split(b"\0".join(texts[start : start + 7])))
    rows = [[one for one in text.split(b" ") if one] for text in texts]
    assert counter.counts() == Counter(token for row in rows for token in row)
    assert counter.documents() == Counter(token for row in rows for token in set(row))


@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_a_zero_in_a_text_takes_the_other_way_to_the_same_result(mode: str) -> None:
    plain = ["The cat.", "a dog\tand a\x0bcat", "DOG!", "\xe9t\xe9 caf\xe9 caf\xe9", "x" * 40]
    both = [*plain, "zero\0inside a"]
    layer = keras.layers.TextVectorization(output_mode=mode)
    layer.adapt(both)
    alone = [np.asarray(keras.ops.convert_to_numpy(layer([one])))[0] for one in both]
    together = np.asarray(keras.ops.convert_to_numpy(layer(both)))
    for row, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(row[: len(one)], one, rtol=1e-6)
    other = keras.layers.TextVectorization(output_mode=mode)
    for one in both:  # only the last goes the other way
        other.update_state([one])
    other.finalize_state()
    assert other.get_vocabulary() == layer.get_vocabulary()
    assert "zero\0inside" in layer.get_vocabulary()


@pytest.mark.parametrize("mask", [None, ""])
@pytest.mark.parametrize("unknown", [1, 3])
def test_many_cells_are_looked_up_as_few_are(mask: str | None, unknown: int) -> None:
    words = ["", "a", "b\0c", "abcdefgh", "abcdefghi", "x" * 17, "x" * 40, "word", "Zürich"]
    layer = keras.layers.StringLookup(
        vocabulary=[one for one in words if one][::2], mask_token=mask, num_oov_indices=unknown
    )
    for chosen in (words[:-2], words, ["", "a"]):  # of one width and another, and with what is not ASCII
        many = np.array(chosen * 1000)
        found = np.asarray(keras.ops.convert_to_numpy(layer(many))).reshape(1000, -1)
        few = np.asarray(keras.ops.convert_to_numpy(layer(chosen)))
        assert (found == few).all()
