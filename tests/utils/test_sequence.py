"""pad_sequences against a table of what Keras gives."""

import numpy as np
import pytest

from hornbeam.utils.sequence import pad_sequences

ROWS = [[1], [2, 3], [4, 5, 6]]
CASES = [
    (ROWS, {}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
    (ROWS, {"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
    (ROWS, {"maxlen": 2, "truncating": "post", "padding": "post", "value": 9}, [[1, 9], [2, 3], [4, 5]]),
    (ROWS, {"maxlen": 4, "padding": "post"}, [[1, 0, 0, 0], [2, 3, 0, 0], [4, 5, 6, 0]]),
    ([[1.5], [2, 3]], {"dtype": "float32", "value": -1.0}, [[-1, 1.5], [2, 3]]),
    ([[[1, 2]], [[3, 4], [5, 6]]], {}, [[[0, 0], [1, 2]], [[3, 4], [5, 6]]]),
    ([["a", "b"], ["c"]], {"dtype": object, "value": "z"}, [["a", "b"], ["z", "c"]]),
    ([["a", "bb"], ["c"]], {"dtype": "U3", "value": "z"}, [["a", "bb"], ["z", "c"]]),
    ([[], [1]], {}, [[0], [1]]),
    ([(1, 2), np.array([3])], {}, [[1, 2], [0, 3]]),
]


@pytest.mark.parametrize(("rows", "arguments", "expected"), CASES)
def test_table(rows, arguments, expected):
    result = pad_sequences(rows, **arguments)
    assert result.tolist() == expected
    assert result.dtype == np.dtype(arguments.get("dtype", "int32"))


def test_empty_rows_and_zero_length():
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences([[1], [2]], maxlen=0).shape == (2, 0)
    assert pad_sequences([], maxlen=3).shape == (0, 3)


@pytest.mark.parametrize(
    ("rows", "arguments", "text"),
    [
        (3, {}, "list of sequences"),
        ([1, 2], {}, "at 0"),
        ([], {}, "at least one sequence"),
        (ROWS, {"padding": "left"}, "'pre'|pre"),
        (ROWS, {"truncating": "left"}, "truncating"),
        (ROWS, {"value": "z"}, "dtype=object"),
        ([[[1, 2]], [[3], [5]]], {}, "at 1"),
    ],
)
def test_bad_input(rows, arguments, text):
    with pytest.raises(ValueError, match=text):
        pad_sequences(rows, **arguments)
