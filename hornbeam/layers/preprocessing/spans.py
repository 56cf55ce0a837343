"""Tokens as spans of one long text, looked up and counted all together; it knows nothing of layers.

Making a Python object of each token costs more than all else that is done with it. So tokens stay where they are, as
numbers of 64 bits that NumPy reads from the text at their starts, and are looked up as such: no token is ever taken for
another, since whole tokens are compared and not their hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

END = b"\0"  # stands between two texts
_WORDS = (1, 2, 4)  # words of eight bytes in the keys of short, middle and long tokens
_LONGEST = 8 * _WORDS[-1]  # bytes; longer tokens are rare, and a dict is good enough for them
_PADDING = bytes(_LONGEST + 8)
_MASKS = np.array([2 ** (8 * count) - 1 for count in range(9)], np.uint64)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio: spreads neighbours widely
_EMPTY = -(2**62)  # the number in a free slot


class Spans(NamedTuple):
    """The tokens of many texts.

    Attributes:
        text: The texts in a row, and zeros after them.
        starts: Where in it each token begins.
        lengths: How many bytes each has, at least one.
        counts: How many tokens each text has.
    """

    text: bytes
    starts: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray

    def tokens(self, places: np.ndarray) -> list[bytes]:
        """Some of the tokens themselves."""
        starts = self.starts[places]
        text = self.text
        ends = (starts + self.lengths[places]).tolist()
        return [text[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]


def split(text: bytes) -> Spans:
    """Splits texts at spaces.

    Args:
        text: Texts with `END` between two of them, and spaces for all white space.
    """
    padded = text + _PADDING
    signs = np.frombuffer(padded, np.uint8, len(text) + 1)  # with a zero after the last text
    breaks = np.empty(len(signs) + 1, bool)
    breaks[0] = True
    np.logical_or(signs == ord(" "), signs == 0, out=breaks[1:])
    # where a break and a token meet, at both ends of each token in turn
    places = np.flatnonzero(breaks[1:] != breaks[:-1])
    starts, ends = places[0::2], places[1::2]
    so_far = np.searchsorted(starts, np.flatnonzero(signs == 0))
    return Spans(padded, np.ascontiguousarray(starts), ends - starts, np.diff(so_far, prepend=0))


class TokenTable:
    """A table from tokens to whole numbers, for all tokens of many texts at once.

    Args:
        tokens: The first tokens; those that no text can have, such as "", may be among them.
        numbers: Their numbers, each another one.
    """

    def __init__(self, tokens: Sequence[bytes] = (), numbers: Sequence[int] | np.ndarray = ()) -> None:
        self._parts = [_Part(words) for words in _WORDS]
        self._long: dict[bytes, int] = {}
        self.add(tokens, np.asarray(numbers, np.int64))

    def add(self, tokens: Sequence[bytes], numbers: np.ndarray) -> None:
        """Adds tokens that are not there yet."""
        lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
        text = b"".join(tokens) + _PADDING
        starts = np.cumsum(lengths) - lengths
        if text.count(END) > len(_PADDING):  # a zero in a key means that the token has ended
            sound = np.fromiter((END not in one for one in tokens), bool, len(tokens))
            starts, lengths, numbers = starts[sound], lengths[sound], numbers[sound]
        least, windows = 1, _windows(text)
        for part in self._parts:
            chosen = np.flatnonzero((lengths >= least) & (lengths <= part.longest))
            least = part.longest + 1
            if len(chosen):
                part.add(_keys(windows, starts[chosen], lengths[chosen], part.words), numbers[chosen])
        chosen = np.flatnonzero(lengths > _LONGEST)
        long = Spans(text, starts, lengths, lengths).tokens(chosen)
        self._long.update(zip(long, numbers[chosen].tolist(), strict=True))

    def look_up(self, spans: Spans, missing: int) -> np.ndarray:
        """The number of each token, int64, and `missing` for those that are not in the table."""
        windows = _windows(spans.text)
        starts, lengths = spans.starts, spans.lengths
        short, *others = self._parts
        # those that are longer get a number as well, that of what they begin with, until it is their turn
        found = short.look_up(_keys(windows, starts, lengths, 1), missing)
        rest = np.flatnonzero(lengths > short.longest)
        for part in others:
            its = lengths[rest] <= part.longest
            chosen, rest = rest[its], rest[~its]
            if len(chosen):
                found[chosen] = part.look_up(_keys(windows, starts[chosen], lengths[chosen], part.words), missing)
        if len(rest):
            long = self._long
            found[rest] = [long.get(one, missing) for one in spans.tokens(rest)]
        return found

    def number(self, spans: Spans, known: int) -> tuple[np.ndarray, np.ndarray]:
        """The number of each token, where those that are not there yet get the next ones.

        Args:
            spans: The tokens.
            known: How many numbers are taken.

        Returns:
            The numbers, and for each new one, in their order, the place of a token that has it.
        """
        found = self.look_up(spans, -1)
        unknown = np.flatnonzero(found < 0)
        firsts = []
        windows = _windows(spans.text)
        least = 1
        for part in self._parts:
            lengths = spans.lengths[unknown]
            chosen = unknown[(lengths >= least) & (lengths <= part.longest)]
            least = part.longest + 1
            if len(chosen):
                keys = _keys(windows, spans.starts[chosen], spans.lengths[chosen], part.words)
                found[chosen], first = part.number(keys, known)
                firsts.append(chosen[first])
                known += len(first)
        chosen = unknown[spans.lengths[unknown] > _LONGEST]
        for place, token in zip(chosen.tolist(), spans.tokens(chosen), strict=True):
            number = self._long.setdefault(token, known)
            found[place] = number
            if number == known:
                firsts.append(np.array([place]))
                known += 1
        return found, np.concatenate([*firsts, np.zeros(0, np.int64)]).astype(np.int64)


class CellTable:
    """A table from texts to whole numbers for arrays of NumPy's strings, whose cells are all of one width.

    Args:
        tokens: The texts.
        numbers: Their numbers, each another one.
        width: The width of the cells in characters.
    """

    def __init__(self, tokens: Sequence[bytes], numbers: Sequence[int], width: int) -> None:
        self.words = words_of(width)
        lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
        text = b"".join(tokens) + bytes(8 * self.words + 8)
        starts = np.cumsum(lengths) - lengths
        # cells are not longer and do not end in a zero, and an empty one has no key of its own
        fits = np.fromiter(
            (0 < len(one) <= 8 * self.words and not one.endswith(END) for one in tokens), bool, len(tokens)
        )
        self._empty = dict(zip(tokens, numbers, strict=True)).get(b"")
        self._part = _Part(self.words)
        keys = _keys(_windows(text), starts[fits], lengths[fits], self.words)
        self._part.add(keys, np.asarray(numbers, np.int64)[fits])

    def look_up(self, cells: np.ndarray, missing: int) -> np.ndarray:
        """The number of each text, int64, and `missing` for those that are not in the table.

        Args:
            cells: uint8 of shape `(count, width)`: ASCII, zeros after the end of each.
            missing: The number of unknown texts.
        """
        padded = np.zeros((len(cells), 8 * self.words), np.uint8)
        padded[:, : cells.shape[1]] = cells
        words = padded.view("<u8")
        found = self._part.look_up([words[:, word] for word in range(self.words)], missing)
        found[found == _EMPTY] = missing if self._empty is None else self._empty
        return found


def words_of(width: int) -> int:
    """How many words of eight bytes hold so many."""
    return max((width + 7) // 8, 1)


class TokenCounter:
    """How often each token comes in texts, and, if asked, in how many texts."""

    def __init__(self, documents: bool = False) -> None:
        self._table = TokenTable()
        self._tokens: list[bytes] = []
        self._counts = np.zeros(0, np.int64)
        self._documents = np.zeros(0, np.int64) if documents else None
        self._waiting: list[np.ndarray] = []

    def update(self, spans: Spans) -> None:
        """Counts the tokens of some texts."""
        found, firsts = self._table.number(spans, len(self._tokens))
        self._tokens += spans.tokens(firsts)
        if self._documents is not None:
            size = len(self._tokens)
            owners = np.repeat(np.arange(len(spans.counts)), spans.counts)
            each = np.unique(owners * size + found) % max(size, 1)
            self._documents = _sum(self._documents, np.bincount(each, minlength=size))
        self._waiting.append(found)
        # a count of all tokens is as long as the vocabulary, and pays when as many came
        if sum(map(len, self._waiting)) > max(len(self._tokens), 2**18):
            self._settle()

    def _settle(self) -> None:
        found = np.concatenate([*self._waiting, np.zeros(0, np.int64)])
        self._counts = _sum(self._counts, np.bincount(found, minlength=len(self._tokens)))
        self._waiting = []

    def counts(self, most: int | None = None) -> dict[bytes, int]:
        """How often each token came.

        Args:
            most: Tokens that are certainly not among so many most frequent ones are left out.
        """
        self._settle()
        if most is None or most >= len(self._tokens):
            return dict(zip(self._tokens, self._counts.tolist(), strict=True))
        least = np.partition(self._counts, -most)[-most]
        kept = np.flatnonzero(self._counts >= least)
        tokens = self._tokens
        return dict(zip([tokens[place] for place in kept.tolist()], self._counts[kept].tolist(), strict=True))

    def documents(self) -> dict[bytes, int]:
        """In how many texts each token came; nothing unless that was asked for."""
        if self._documents is None:
            return {}
        return dict(zip(self._tokens, self._documents.tolist(), strict=True))


def _sum(before: np.ndarray, more: np.ndarray) -> np.ndarray:
    more[: len(before)] += before
    return more


def _windows(text: bytes) -> np.ndarray:
    """The eight bytes from each place of a text on, as a number."""
    windows = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    # reading aligned numbers is faster, and pays for the copy where that stays in the cache
    return np.ascontiguousarray(windows) if len(text) <= 2**21 else windows


def _keys(windows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, words: int) -> list[np.ndarray]:
    """The first bytes of tokens as words of 64 bits, zeros after their end."""
    keys = []
    for word in range(words):
        places = starts + 8 * word if word else starts
        key = windows.take(places) if windows.flags.c_contiguous else windows[places]
        key &= _MASKS.take(lengths - 8 * word if word else lengths, mode="clip")
        keys.append(key)
    return keys


class _Part:
    """Tokens of up to so many words: a hash table in arrays, with open addressing."""

    def __init__(self, words: int) -> None:
        self.words, self.longest = words, 8 * words
        self._count = 0
        self._make(256)

    def _make(self, size: int) -> None:
        self._shift = np.uint64(64 - (size.bit_length() - 1))
        self._numbers = np.full(size, _EMPTY, np.int64)
        self._keys = [np.zeros(size, np.uint64) for _ in range(self.words)]

    def _slots(self, keys: list[np.ndarray]) -> np.ndarray:
        """The slot at which the search for each key begins."""
        mixed = keys[0]
        for key in keys[1:]:
            mixed = (mixed ^ (mixed >> np.uint64(29))) * _GOLDEN + key
        return (((mixed ^ (mixed >> np.uint64(32))) * _GOLDEN) >> self._shift).view(np.int64)

    def _make_room(self, more: int) -> None:
        if 2 * (self._count + more) > len(self._numbers):
            filled = self._numbers != _EMPTY
            keys, numbers = [one[filled] for one in self._keys], self._numbers[filled]
            self._make(1 << (4 * (self._count + more) - 1).bit_length())
            self._count = 0
            self.add(keys, numbers)

    def add(self, keys: list[np.ndarray], numbers: np.ndarray) -> None:
        """Takes keys that are not there yet, each once."""
        places, _ = self._insert(keys)
        self._numbers[places] = numbers

    def number(self, keys: list[np.ndarray], known: int) -> tuple[np.ndarray, np.ndarray]:
        """Takes keys that are not there yet, some of them several times, and gives them the numbers from `known` on.

        Returns:
            The number of each, and where among them the first of each number stands.
        """
        places, first = self._insert(keys)
        self._numbers[places[first]] = np.arange(known, known + len(first))
        return self._numbers[places], first

    def _insert(self, keys: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The slot of each key, and those of them that came to a free one; what stands there is for the caller."""
        self._make_room(len(keys[0]))
        slots = self._slots(keys)
        pending = np.arange(len(slots))
        firsts = []
        while len(pending):
            at = slots[pending]
            free = self._numbers[at] == _EMPTY
            # where several want one slot, the last that writes has it: the first of them, since vocabularies begin with
            # the tokens that come most often, which are then found at once
            self._numbers[at[free][::-1]] = pending[free][::-1]
            won = free & (self._numbers[at] == pending)
            for kept, key in zip(self._keys, keys, strict=True):
                kept[at[won]] = key[pending[won]]
            firsts.append(pending[won])
            # those whose key is in the slot now, their own or an equal one, are through
            pending = pending[self._differ(at, [key[pending] for key in keys])]
            slots[pending] = (slots[pending] + 1) % len(self._numbers)
        first = np.sort(np.concatenate([*firsts, np.zeros(0, np.int64)]))
        self._count += len(first)
        return slots, first

    def look_up(self, keys: list[np.ndarray], missing: int) -> np.ndarray:
        slots = self._slots(keys)
        found = self._numbers.take(slots)
        pending = np.flatnonzero(self._differ(slots, keys))
        while len(pending):
            ended = found[pending] == _EMPTY
            found[pending[ended]] = missing
            pending = pending[~ended]
            at = (slots[pending] + 1) % len(self._numbers)
            slots[pending], found[pending] = at, self._numbers[at]
            pending = pending[self._differ(at, [key[pending] for key in keys])]
        return found

    def _differ(self, slots: np.ndarray, keys: list[np.ndarray]) -> np.ndarray:
        """Whether each slot holds another key, or none."""
        differ = self._keys[0].take(slots) != keys[0]
        for kept, key in zip(self._keys[1:], keys[1:], strict=True):
            differ |= kept.take(slots) != key
        return differ


