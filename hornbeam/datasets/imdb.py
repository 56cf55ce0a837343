"""IMDB: 50,000 film reviews as numbers of words, and whether each praises or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.datasets.cached import STORE, Pair, arrays_of, fetched, word_index
from hornbeam.datasets.sequences import Words, numbered, shuffled
from hornbeam.errors import ArgumentTypeError, warn

FILE_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
INDEX_HASH = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[Pair, Pair]:
    """The IMDB reviews (Maas et al., "Learning word vectors for sentiment analysis", ACL 2011).

    Words are numbered by how often they occur, the most frequent is 1 (before `index_from` is added).

    Args:
        path: The file's name in the cache, below `$KERAS_HOME/datasets`, else `~/.keras/datasets`; or the absolute
            path of a file.
        num_words: Only numbers below this are kept; None for all below the greatest.
        skip_top: Only numbers from this on are kept.
        maxlen: Only texts shorter than this are kept; None for all.
        seed: Of the order of the texts.
        start_char: The number that each text begins with; None for none.
        oov_char: The number that stands for words which are left out; None leaves a gap of nothing.
        index_from: What is added to each number, so that the ones below are free for other use.
        kwargs: `nb_words`, the older name of `num_words`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of dtype object that hold lists of ints, and int64 labels,
        0 for negative and 1 for positive.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
        ValueError: If no text is shorter than `maxlen`, or the file holds more than plain data.
    """
    if "nb_words" in kwargs:
        warn("imdb.load_data calls its argument nb_words num_words now.")
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise ArgumentTypeError("no other arguments", str(sorted(kwargs)), "imdb.load_data")
    place = fetched(path, STORE + "imdb.npz", FILE_HASH)
    x_train, y_train, x_test, y_test = arrays_of(place, ("x_train", "y_train", "x_test", "y_test"))
    random = np.random.RandomState(seed)
    x_train, y_train = shuffled(x_train, y_train, random, str(place))
    x_test, y_test = shuffled(x_test, y_test, random, str(place))
    cut = len(x_train)
    words = Words(num_words, skip_top, maxlen, start_char, oov_char, index_from)
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    # Texts that are too long go before the cut is known: which half a text belongs to goes along as its label.
    x, rows = numbered(x, np.arange(len(x)), words, "imdb.load_data")
    left = int((rows < cut).sum())
    return (x[:left], y[rows[:left]]), (x[left:], y[rows[left:]])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word; in `load_data`'s texts `index_from` is added to it.

    Args:
        path: The file's name in the cache, or the absolute path of a file.

    Raises:
        OSError: If the file is not in the cache and cannot be fetched.
    """
    return word_index(path, STORE + "imdb_word_index.json", INDEX_HASH)
