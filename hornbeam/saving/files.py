"""What all file formats share: errors about files, paths and limits."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from hornbeam.errors import ArgumentError, ArgumentTypeError, FileFormatError, UnsafeFileError

# Limits on what a file may make us hold. They are far above honest files and bound hostile ones.
MAX_CONFIG_BYTES = 256 * 2**20
MAX_CONFIG_DEPTH = 400
MAX_MEMBERS = 20_000
FREE_BYTES = 256 * 2**20  # up to here, compressed data may grow to any size
MAX_RATIO = 100  # beyond, unpacked data may be this many times the size of the file

_COMPONENT = re.compile(r"[^/\\:\x00-\x1f]+")


class MissingFileError(FileFormatError, FileNotFoundError, ValueError):
    """A file that should be read is not there. Keras raises one or the other of the builtins."""


class DamagedFileError(FileFormatError, ValueError):
    """A file is truncated, damaged or not of the kind its name says. Keras raises one or the other."""


def as_path(filepath: Any, where: str) -> Path:
    """`filepath` as a path, checked."""
    if not isinstance(filepath, (str, os.PathLike)):
        raise ArgumentTypeError("a path: a str or os.PathLike", repr(filepath), where)
    return Path(os.fspath(filepath))


def check_exists(path: Path, where: str, kind: str) -> None:
    """Raises unless there is something at `path`."""
    if not path.exists():
        near = sorted(one.name for one in path.parent.glob(f"*{path.suffix}"))[:5] if path.parent.is_dir() else []
        there = f" In that folder there is: {', '.join(near)}." if near else ""
        raise MissingFileError(f"{kind} at {str(path)!r}", "no such file", where, f"Check the path.{there}")


def may_write(path: Path, overwrite: bool, where: str) -> bool:
    """Whether to write to `path`; asks on a terminal if there is a file and `overwrite` is False.

    Raises:
        ValueError: If there is a file, `overwrite` is False and nobody can be asked.
    """
    if not path.parent.is_dir():
        raise MissingFileError(
            f"an existing folder {str(path.parent)!r}", "no such folder", where, "Make the folder first."
        )
    if overwrite or not path.exists():
        return True
    if not sys.stdin or not sys.stdin.isatty():
        raise ArgumentError(
            "a path that is free", f"{str(path)!r}, which exists", where, "Pass overwrite=True or another path."
        )
    answer = input(f"{str(path)!r} exists already. Overwrite it? [y/n] ").strip().lower()
    while answer not in ("y", "n"):
        answer = input("Enter 'y' or 'n': ").strip().lower()
    return answer == "y"


def safe_parts(name: str, where: str) -> tuple[str, ...]:
    """The parts of a "/"-separated name from a file, of which none leads out of a folder.

    Raises:
        ValueError: For absolute names, "..", drive letters, backslashes and control characters.
    """
    parts = tuple(name.split("/"))
    if not name or any(part in (".", "..") or not _COMPONENT.fullmatch(part) for part in parts):
        raise UnsafeFileError("plain relative names inside the file", repr(name), where, "Do not use this file.")
    return parts
