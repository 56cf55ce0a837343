"""Vocabularies as users give them and as files keep them: lists, arrays, text files with one token a line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hornbeam.errors import ArgumentError, FileFormatError

ASSET = "vocabulary.txt"


def is_path(vocabulary: Any) -> bool:
    """Whether a vocabulary is given as the path of a file."""
    return isinstance(vocabulary, (str, os.PathLike))


def read_file(path: Any, encoding: str, where: str) -> list[str]:
    """The lines of a user's vocabulary file; an empty last line is none, and Windows's line ends do no harm.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{where}: expected the path of a vocabulary file, got {str(path)!r}, which is none.")
    text = path.read_bytes().decode(encoding, "surrogateescape").replace("\r\n", "\n")
    return text.removesuffix("\n").split("\n") if text else []


def read_asset(folder: str, where: str) -> list[str]:
    """The tokens in the asset of a saved layer, exactly as they were written."""
    path = Path(folder) / ASSET
    if not path.is_file():
        raise FileFormatError(f"a file {ASSET!r} among the assets", "none", where, "The file is damaged.")
    return path.read_bytes().decode("utf-8", "surrogateescape").split("\n")


def write_asset(folder: str, tokens: Iterable[Any]) -> None:
    """Writes tokens, one a line, as the asset of a saved layer."""
    text = "\n".join(str(one) for one in tokens)
    (Path(folder) / ASSET).write_bytes(text.encode("utf-8", "surrogateescape"))


def fits_lines(tokens: Iterable[Any]) -> bool:
    """Whether tokens can stand one a line."""
    return "\n" not in "".join(map(str, tokens))


def check_unique(tokens: list[Any], where: str) -> None:
    """Raises a ValueError that names the tokens that come twice."""
    if len(set(tokens)) != len(tokens):
        seen: set[Any] = set()
        doubled = [one for one in tokens if one in seen or seen.add(one)]
        shown = ", ".join(repr(one) for one in doubled[:5])
        raise ArgumentError(
            "a vocabulary in which each token stands once", f"{shown} repeated", where,
            "Remove the copies: list(dict.fromkeys(vocabulary)) keeps the order.",
        )  # fmt: skip


def without_specials(tokens: list[Any], specials: list[Any], mask: Any, where: str) -> list[Any]:
    """The tokens of a vocabulary that may or may not begin with the special ones.

    Args:
        tokens: The vocabulary.
        specials: What stands in front of a full vocabulary.
        mask: The mask token among them, or None.
        where: The layer, for errors.

    Raises:
        ValueError: If it is empty, or has the mask token at another place.
    """
    if not tokens:
        raise ArgumentError("a vocabulary with tokens", "an empty one", where)
    if specials and tokens[: len(specials)] == specials:
        tokens = tokens[len(specials) :]
    if mask is not None and mask in tokens:
        raise ArgumentError(
            f"the mask token {mask!r} nowhere, or in front with the other special tokens {specials}",
            f"it at position {tokens.index(mask)}", where,
            "A vocabulary needs no special tokens: they are put in front of it.",
        )  # fmt: skip
    return tokens
