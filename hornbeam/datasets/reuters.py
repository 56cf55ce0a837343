"""Reuters: 11,228 news stories as numbers of words, with 46 topics."""

from __future__ import annotations

import numpy as np

from hornbeam.datasets.cached import STORE, Pair, arrays_of, check_split, fetched, word_index
from hornbeam.datasets.sequences import Words, numbered, shuffled

FILE_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"
LABELS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Pair, Pair]:
    """The Reuters newswire data set (stories of 1987, as in D. Lewis's Reuters-21578).

    Args:
        path: The file's name in the cache, below `$KERAS_HOME/datasets`, else `~/.keras/datasets`; or the absolute
            path of a file.
        num_words: Only numbers below this are kept; None for all below the greatest.
        skip_top: Only numbers from this on are kept.
        maxlen: Only texts shorter than this are kept; None for all.
        test_split: The share that is held back for tests.
        seed: Of the order of the texts.
        start_char: The number that each text begins with; None for none.
        oov_char: The number that stands for words which are left out; None leaves a gap of nothing.
        index_from: What is added to each number, so that the ones below are free for other use.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of dtype object that hold lists of ints, and int64 topics
        from 0 to 45, whose names `get_label_names` gives.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
        ValueError: If an argument is out of range, no text is shorter than `maxlen`, or the file holds more than
            plain data.
    """
    test_split = check_split(test_split, "reuters.load_data")
    place = fetched(path, STORE + "reuters.npz", FILE_HASH)
    x, y = shuffled(*arrays_of(place, ("x", "y")), np.random.RandomState(seed), str(place))  # type: ignore[misc]
    words = Words(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    x, y = numbered(x, y, words, "reuters.load_data")
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word; in `load_data`'s texts `index_from` is added to it.

    Args:
        path: The file's name in the cache, or the absolute path of a file.

    Raises:
        OSError: If the file is not in the cache and cannot be fetched.
    """
    return word_index(path, STORE + "reuters_word_index.json", INDEX_HASH)


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    >>> get_label_names()[:3]
    ('cocoa', 'grain', 'veg-oil')
    """
    return LABELS
