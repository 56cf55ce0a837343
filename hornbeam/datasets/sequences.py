"""Texts as lists of word numbers, in the form that Keras's text data sets have: shuffled, shifted, and cut."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from hornbeam.errors import ArgumentError, FileFormatError


class Words(NamedTuple):
    """What becomes of the numbers of words; the fields are the arguments of `load_data` of the same names."""

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int | None


def shuffled(texts: np.ndarray, labels: np.ndarray, random: np.random.RandomState, place: str) -> tuple[Any, Any]:
    """Texts and labels in the order that Keras draws, once they are seen to be lists of numbers with a label each."""
    if texts.ndim != 1 or texts.shape != labels.shape or not all(type(text) is list for text in texts):
        raise FileFormatError("a list of numbers for each label", f"shapes {texts.shape}, {labels.shape}", place)
    order = np.arange(len(texts))
    random.shuffle(order)
    return texts[order], labels[order]


def numbered(texts: np.ndarray, labels: np.ndarray, words: Words, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The texts with a start, shifted numbers, and marks or gaps in place of words that are left out.

    Args:
        texts: Of dtype object, lists of numbers.
        labels: One for each.
        words: What to do.
        where: For errors.

    Returns:
        The texts, those with `maxlen` or more numbers left out, and their labels.

    Raises:
        ValueError: If no text is left.
        OSError: If a text holds anything but numbers.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    try:
        flat = np.fromiter(itertools.chain.from_iterable(texts), np.int64, int(lengths.sum()))
    except (TypeError, ValueError, OverflowError) as problem:
        raise FileFormatError("lists of word numbers", str(problem), where) from problem
    flat = flat + (words.index_from or 0)
    if words.start_char is not None:
        starts = np.cumsum(lengths) - lengths
        flat = np.insert(flat, starts, words.start_char)
        lengths = lengths + 1
    if words.maxlen:
        kept = lengths < words.maxlen
        if not kept.any():
            raise ArgumentError(
                "texts shorter than maxlen", f"maxlen={words.maxlen}, the shortest has {lengths.min()}", where,
                "Increase maxlen.",
            )  # fmt: skip
        flat, lengths, labels = flat[np.repeat(kept, lengths)], lengths[kept], labels[kept]
    # Keras without num_words leaves out the very last word, too; a seed and a file give what they give there.
    most = words.num_words or (int(flat.max()) if flat.size else 0)
    known = (flat >= words.skip_top) & (flat < most)
    if words.oov_char is not None:
        flat = np.where(known, flat, words.oov_char)
    else:
        ends = np.concatenate([[0], np.cumsum(known)])[np.cumsum(lengths)]
        flat, lengths = flat[known], np.diff(ends, prepend=0)
    numbers = flat.tolist()
    made = np.empty(len(lengths), object)
    end = 0
    for place, length in enumerate(lengths.tolist()):
        made[place] = numbers[end : end + length]
        end += length
    return made, labels
