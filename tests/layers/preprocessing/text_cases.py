"""Calls of the text, lookup and hashing layers for which Keras's answers are recorded beside this file."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """One layer and what it is called on.

    Attributes:
        layer: The name of the class.
        arguments: Of its constructor.
        inputs: What it is called on, one after the other.
        adapt: Batches for `update_state`, if it learns; one batch goes to `adapt`.
        raises: Inputs, by position, that hornbeam refuses where Keras gives something.
    """

    layer: str
    arguments: dict[str, Any]
    inputs: list[Any]
    adapt: list[Any] | None = None
    refused: tuple[int, ...] = ()


TEXTS: list[Any] = ["a", ["a", "z"], [["a", "b", "a"], ["z", "z", "a"]], [["a"], ["b"]], [[["a", "b"]]]]
NUMBERS: list[Any] = [
    3, [3, -8], [[3, 4, 3], [100, -7, 4]], [[4], [3]], [[[3, 4]]], np.array([3.7, 4.0], "float32"),
    np.array([2**40, 3], "int64"), np.array([True, False]),
]  # fmt: skip
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
UNICODE = ["École ÉTÉ İstanbul a\u00a0b c\u2003d e\tf\vg\fh\x1ci\x85j k\x00l ß ẞ Σς", "don't (stop); me_now! 1.5 <br/>"]
PUNCTUATION = ["x!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'\u00ab\u2019\u00bfy"]
CORPUS = [["b a a", "c b a"], ["a c d e", "e E e!", ""]]


def _lookups() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for mode in MODES:
        idf = {"idf_weights": [0.5, 0.25]} if mode == "tf_idf" else {}
        cases[f"string/{mode}"] = Case("StringLookup", {"vocabulary": ["a", "b"], "output_mode": mode, **idf}, TEXTS)
        cases[f"integer/{mode}"] = Case("IntegerLookup", {"vocabulary": [3, 4], "output_mode": mode, **idf}, NUMBERS)
        cases[f"string/{mode}/adapted"] = Case(
            "StringLookup", {"output_mode": mode, "max_tokens": 5}, TEXTS,
            [[["b", "a"], ["c", "a"]], [["d", "a"], ["e", "e"], ["c", "é"]]],
        )  # fmt: skip
        cases[f"integer/{mode}/adapted"] = Case(
            "IntegerLookup", {"output_mode": mode}, NUMBERS, [[[3, 4], [5, 3]], [[-1, 7], [4, 3]]]
        )
    for mode in ("one_hot", "multi_hot", "tf_idf"):
        cases[f"string/{mode}/padded"] = Case(
            "StringLookup", {"output_mode": mode, "max_tokens": 6, "pad_to_max_tokens": True}, TEXTS, [["a", "b", "a"]]
        )
    unknown: list[Any] = [["a", "z", "y", "x", "w", "hello", "é", "", "[UNK]", "a longer text than sixteen bytes"]]
    cases |= {
        f"string/oov {count} {salt}": Case(
            "StringLookup", {"vocabulary": ["a", "b"], "num_oov_indices": count, "salt": salt}, unknown
        )
        for count, salt in ((1, None), (3, None), (3, 7), (4, [7, 8]), (2, -3))
    }
    numbers: list[Any] = [[10, -7, -8, 3, 4, 5, 100, 101, -1, 0, 2**50]]
    cases |= {
        f"integer/oov {count} {method} {salt}": Case(
            "IntegerLookup",
            {"vocabulary": [10, 20], "num_oov_indices": count, "oov_method": method, "salt": salt, "mask_token": mask},
            numbers,
        )
        for count, method, salt, mask in (
            (1, "floormod", None, None), (3, "floormod", None, 0), (3, "farmhash", None, None), (4, "farmhash", 5, 0),
        )
    }
    masked: list[Any] = [["a", "", "y", "[UNK]"], [["", ""], ["a", ""]]]
    for mode in MODES:
        cases[f"string/mask/{mode}"] = Case(
            "StringLookup", {"mask_token": "", "output_mode": mode}, masked, [["x", "", "[UNK]", "x", "a"]]
        )
    cases |= {
        "string/specials given": Case("StringLookup", {"vocabulary": ["", "[UNK]", "a"], "mask_token": ""}, masked),
        "string/oov given": Case("StringLookup", {"vocabulary": ["[UNK]", "a"]}, masked),
        "string/oov within": Case("StringLookup", {"vocabulary": ["a", "[UNK]", "b"]}, masked),
        "string/invert": Case("StringLookup", {"vocabulary": ["a", "é"], "invert": True}, [[0, 1, 2, 5, -1], [[1]], 2]),
        "string/invert mask": Case(
            "StringLookup", {"vocabulary": ["a"], "invert": True, "mask_token": "m"}, [[[0, 1], [2, 3]]]
        ),
        "string/invert oov": Case(
            "StringLookup", {"vocabulary": ["a"], "invert": True, "num_oov_indices": 2}, [[0, 1, 2]]
        ),
        "integer/invert": Case("IntegerLookup", {"vocabulary": [10, 20], "invert": True}, [[0, 1, 2, 5, -1]]),
        "integer/specials given": Case("IntegerLookup", {"vocabulary": [0, -1, 5], "mask_token": 0}, [[0, 5, 6]]),
        "integer/adapted specials": Case(
            "IntegerLookup", {"num_oov_indices": 2, "mask_token": 7}, [[7, 1, 3, 4, 5]], [[1, 1, 7, -1, 3]]
        ),
        "string/no oov": Case("StringLookup", {"vocabulary": ["a", "b"], "num_oov_indices": 0}, [["a", "b"]]),
        "string/max tokens": Case("StringLookup", {"max_tokens": 3}, [["x", "z"]], [["x", "y", "y", "z", "z", "w"]]),
    }
    return cases


def _text() -> dict[str, Case]:
    inputs: list[Any] = [
        "a b b zz", ["a b b zz", "A!"], [["a b b zz"], ["c"]], ["", " "], np.array(["d e", "a"]),
        np.array([b"e", b"q"]),
    ]  # fmt: skip
    cases: dict[str, Case] = {}
    for mode in ("int", "multi_hot", "count", "tf_idf"):
        for padded in (False, True):
            arguments = {"output_mode": mode, "max_tokens": 5, "pad_to_max_tokens": padded}
            cases[f"text/{mode}/{padded}"] = Case("TextVectorization", arguments, inputs, CORPUS)
        idf = {"idf_weights": [0.5, 0.25]} if mode == "tf_idf" else {}
        cases[f"text/{mode}/given"] = Case(
            "TextVectorization", {"output_mode": mode, "vocabulary": ["a", "b"], **idf}, inputs
        )
        for ngrams in (2, (1, 3)):
            cases[f"text/{mode}/ngrams {ngrams}"] = Case(
                "TextVectorization", {"ngrams": ngrams, "output_mode": mode}, inputs, CORPUS
            )
    for ngrams in (1, 3, (2,), (2, 3)):
        cases[f"text/ngrams {ngrams}"] = Case("TextVectorization", {"ngrams": ngrams}, inputs, CORPUS)
    for standardize in (None, "lower", "strip_punctuation", "lower_and_strip_punctuation"):
        for split in (None, "whitespace", "character"):
            cases[f"text/{standardize}/{split}"] = Case(
                "TextVectorization", {"standardize": standardize, "split": split},
                [UNICODE, PUNCTUATION, ["a b", "\u0301"]], [UNICODE, PUNCTUATION],
            )  # fmt: skip
    for length in (1, 2, 6):
        for ngrams in (None, 2):
            cases[f"text/length {length} {ngrams}"] = Case(
                "TextVectorization", {"output_sequence_length": length, "ngrams": ngrams}, inputs, CORPUS
            )
    cases |= {
        "text/no split": Case("TextVectorization", {"split": None}, inputs, CORPUS),
        "text/no split count": Case("TextVectorization", {"split": None, "output_mode": "count"}, inputs, CORPUS),
        "text/no split ngrams": Case("TextVectorization", {"split": None, "ngrams": 2}, [["a b", "c"]], [["a b", "c"]]),
        "text/characters tf_idf": Case(
            "TextVectorization", {"split": "character", "output_mode": "tf_idf"}, inputs, CORPUS
        ),
        "text/empty": Case(
            "TextVectorization", {"vocabulary": ["a"]}, [np.array([], dtype=object), np.zeros((0, 1), "U1")]
        ),
        "text/no special": Case("TextVectorization", {"vocabulary": ["", "[UNK]", "a", "b"]}, inputs),
        "text/max tokens int": Case("TextVectorization", {"max_tokens": 4}, inputs, [["a a a b b c"]]),
        "text/max tokens count": Case(
            "TextVectorization", {"max_tokens": 4, "output_mode": "count"}, inputs, [["a a a b b c"]]
        ),
    }
    return cases


def _hashing() -> dict[str, Case]:
    words = np.array(["", *("abcdefghij" * 20)[:150]], dtype=object)
    words = np.array([("xyz" + "abcdefghij" * 20)[:length] for length in range(150)] + ["é", "日本語"])
    numbers = np.array([3, -3, 0, 123456789012, -(2**63), 2**63 - 1], "int64")
    cases: dict[str, Case] = {
        f"hashing/{salt}": Case("Hashing", {"num_bins": 1000003, "salt": salt}, [words, numbers, words[:4, None]])
        for salt in (None, 7, [3, 4], -1)
    }
    for mode in ("int", "one_hot", "multi_hot", "count"):
        cases[f"hashing/{mode}"] = Case(
            "Hashing", {"num_bins": 4, "output_mode": mode},
            [["a", "b"], [["a", "a"], ["b", "c"]], [[1], [2]], [[["a"]]]],
        )  # fmt: skip
        for dtype in ("int32", "int64"):
            cases[f"hashing/{mode}/{dtype}"] = Case(
                "Hashing", {"num_bins": 4, "output_mode": mode, "dtype": dtype}, [["a", "b"]]
            )
    cases |= {
        "hashing/mask": Case("Hashing", {"num_bins": 3, "mask_value": ""}, [["", "a", "b", "c"]]),
        "hashing/mask int": Case("Hashing", {"num_bins": 3, "mask_value": 0}, [[3, -3, 0, 12]]),
        "hashing/mask one bin": Case("Hashing", {"num_bins": 1, "mask_value": "a"}, [["a", "b"]]),
        "hashing/kinds": Case(
            "Hashing", {"num_bins": 100003},
            [np.array([3.5]), np.array([True]), np.array([3], "uint8"), "scalar", np.array([b"bytes"]), 5],
        ),
        "crossing/texts": Case(
            "HashedCrossing", {"num_bins": 1000003},
            [(words, words[::-1]), (words, words, words), (numbers, numbers[::-1]), (words[: len(numbers)], numbers)],
        ),
        "crossing/shapes": Case(
            "HashedCrossing", {"num_bins": 5}, [(["a", "b"], ["c", "d"]), ([["a"], ["b"]], [["c"], ["d"]]), (1, 2)]
        ),
        "crossing/one_hot": Case(
            "HashedCrossing", {"num_bins": 4, "output_mode": "one_hot"},
            [(["a", "b"], ["c", "d"]), ([["a"], ["b"]], [["c"], ["d"]]), ("a", "b")],
        ),
        "crossing/int32": Case("HashedCrossing", {"num_bins": 5, "dtype": "int32"}, [(["a", "b"], ["c", "d"])]),
    }  # fmt: skip
    for mode in ("one_hot", "multi_hot", "count"):
        cases[f"category/{mode}"] = Case(
            "CategoryEncoding", {"num_tokens": 4, "output_mode": mode},
            [2, [0, 1], [[0, 1, 1], [2, 2, 3]], [[3], [0]], [[[0, 1]]], np.array([1.7, 0.2], "float32")],
        )  # fmt: skip
        cases[f"category/{mode}/int32"] = Case(
            "CategoryEncoding", {"num_tokens": 4, "output_mode": mode, "dtype": "int32"}, [[0, 1]]
        )
    return cases


CASES: dict[str, Case] = {**_lookups(), **_text(), **_hashing()}
