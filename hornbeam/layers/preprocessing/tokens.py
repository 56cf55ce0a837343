"""`Tokenizer`: from many texts to their tokens, in as few passes over all of them together as there can be.

Texts are bytes of UTF-8 here. Case, punctuation and white space are those of ASCII, as in TensorFlow's string ops, so
that one table of 256 bytes says what becomes of each; accented letters pass as they are.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe
from hornbeam.layers.preprocessing.spans import END, Spans, split

LOWER_AND_STRIP, LOWER, STRIP = "lower_and_strip_punctuation", "lower", "strip_punctuation"
WHITESPACE, CHARACTER = "whitespace", "character"

_PUNCTUATION = string.punctuation.encode()
_CAPITALS, _SMALL = string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
_LOWERED = bytes.maketrans(_CAPITALS, _SMALL)
_WHITE = b"\t\n\r\v\f"
_SPACED = bytes.maketrans(_WHITE, b" " * len(_WHITE))
_LOWERED_AND_SPACED = bytes.maketrans(_CAPITALS + _WHITE, _SMALL + b" " * len(_WHITE))


class Tokenizer:
    """How texts become tokens.

    Args:
        standardize: None, the name of a way, or a callable from an array of `str` to another.
        split: None, "whitespace", "character", or a callable from an array of `str` to a list of tokens for each.
        ngrams: None, the largest number of tokens that are joined, or a tuple of such numbers.
        encoding: How texts that come as bytes are read.
        where: The layer, for errors.
    """

    def __init__(self, standardize: Any, split: Any, ngrams: Any, encoding: str, where: str) -> None:
        ways = (LOWER_AND_STRIP, LOWER, STRIP)
        if standardize is not None and not callable(standardize) and standardize not in ways:
            raise UnknownNameError("standardize", standardize, ways, where)
        if split is not None and not callable(split) and split not in (WHITESPACE, CHARACTER):
            raise UnknownNameError("split", split, (WHITESPACE, CHARACTER), where)
        self.widths = _checked_ngrams(ngrams, where)
        self.standardize, self.split, self.where = standardize, split, where
        self._decodes = None if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        self._table = _LOWERED if standardize in (LOWER_AND_STRIP, LOWER) else None
        self._dropped = _PUNCTUATION if standardize in (LOWER_AND_STRIP, STRIP) else b""

    # --- standardizing ---------------------------------------------------------------------------------------

    def standardized(self, texts: list[Any]) -> list[bytes]:
        """Each text, standardized."""
        if callable(self.standardize):
            found = _listed(self._called(self.standardize, "standardize", texts))
            if len(found) != len(texts):
                raise ArgumentError(
                    f"{len(texts)} texts from `standardize`, as many as it got", f"{len(found)}", self.where
                )
            return self._all_bytes(found)
        joined = self._joined(texts)
        if joined is None:
            return [one.translate(self._table, self._dropped) for one in self._all_bytes(texts)]
        pieces = joined.translate(self._table, self._dropped).split(END)
        return pieces if texts else []

    def _joined(self, texts: list[Any]) -> bytes | None:
        """All texts as one, or None if one of them has the sign that stands between them."""
        try:
            joined = END.decode().join(texts).encode("utf-8", "surrogateescape")
        except (TypeError, UnicodeEncodeError):  # bytes among them, or what is no text
            joined = END.join(self._all_bytes(texts))
        return joined if joined.count(END) == max(len(texts) - 1, 0) else None

    def _all_bytes(self, texts: Sequence[Any]) -> list[bytes]:
        return [self._bytes(one, place) for place, one in enumerate(texts)]

    def _bytes(self, text: Any, place: int) -> bytes:
        if isinstance(text, bytes) and self._decodes is None:
            return text
        try:
            if isinstance(text, bytes):
                text = text.decode(self._decodes or "utf-8", "surrogateescape")
            return text.encode("utf-8", "surrogateescape")
        except UnicodeError as problem:
            raise ArgumentError(
                "text that UTF-8 can hold", f"{describe(text)} at position {place} ({problem})", self.where
            ) from None
        except AttributeError:
            raise ArgumentTypeError(
                "texts only", f"{describe(text)} at position {place}", self.where,
                'Fill gaps first, for example with an empty text "".',
            ) from None

    def _called(self, function: Callable, what: str, texts: list[Any]) -> Any:
        array = np.empty(len(texts), dtype=object)
        array[:] = [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in texts]
        try:
            return function(array)
        except Exception as problem:
            problem.add_note(
                f"In `{what}` of {self.where}, which gets a NumPy array of all texts of a batch. A function of a "
                "single text goes as `lambda texts: [function(one) for one in texts]`."
            )
            raise

    # --- splitting -------------------------------------------------------------------------------------------

    def spans(self, texts: list[Any]) -> Spans | None:
        """The tokens of all texts, left where they are; None where each must be made an object first."""
        if self.split != WHITESPACE or self.widths is not None or callable(self.standardize) or not texts:
            return None
        joined = self._joined(texts)
        if joined is None:
            return None
        return split(joined.translate(_LOWERED_AND_SPACED if self._table else _SPACED, self._dropped))

    def rows(self, texts: list[Any]) -> list[list[bytes]]:
        """The tokens of each text, n-grams among them."""
        pieces = self.standardized(texts)
        if self.split is None:
            rows = [[one] for one in pieces]
        elif self.split == WHITESPACE:
            rows = [one.split() for one in pieces]
        elif self.split == CHARACTER:
            rows = [[sign.encode() for sign in one.decode("utf-8", "replace")] for one in pieces]
        else:
            found = _listed(self._called(self.split, "split", pieces))
            if len(found) != len(pieces) or any(isinstance(one, (str, bytes)) for one in found):
                raise ArgumentError(
                    f"a list of tokens for each of {len(pieces)} texts from `split`", describe(found), self.where
                )
            rows = [self._all_bytes(one) for one in found]
        return rows if self.widths is None else [self.with_ngrams(one) for one in rows]

    def with_ngrams(self, tokens: list[bytes]) -> list[bytes]:
        """All runs of tokens of the wanted widths, each joined by a space."""
        found: list[bytes] = []
        for width in self.widths or (1,):
            found.extend(
                tokens if width == 1 else map(b" ".join, zip(*(tokens[start:] for start in range(width)), strict=False))
            )
        return found


def _checked_ngrams(ngrams: Any, where: str) -> tuple[int, ...] | None:
    if ngrams is None:
        return None
    parts = list(ngrams) if isinstance(ngrams, (tuple, list)) else [ngrams]
    whole = all(isinstance(one, (int, np.integer)) and not isinstance(one, bool) and one >= 1 for one in parts)
    if not whole or not parts:
        raise ArgumentError("ngrams to be None, a positive int, or a tuple of them", repr(ngrams), where)
    return tuple(parts) if isinstance(ngrams, (tuple, list)) else tuple(range(1, ngrams + 1))


def _listed(values: Any) -> list[Any]:
    """What a user's function gave (lists, arrays, tensors, ragged ones too) as nested lists."""
    if hasattr(values, "to_list"):
        return values.to_list()
    if hasattr(values, "numpy"):
        values = values.numpy()
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return [_listed(one) if hasattr(one, "numpy") or isinstance(one, np.ndarray) else one for one in values]
