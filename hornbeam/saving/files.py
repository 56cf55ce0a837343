"""What all file formats share: errors about files, paths, limits, and writing that never harms what was there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
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


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; at the end that file takes the place of `path`, or vanishes.

    Whatever happens in between, at `path` there is either the old file or the whole new one.
    """
    target = Path(os.path.realpath(path))  # a link stays, what it points to is replaced
    if target.is_dir():
        raise ArgumentError("the path of a file", f"the folder {str(path)!r}", "save")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    # opened here once so that the file gets the permissions the user's umask gives, and so that it is new
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(target.parent)


@contextlib.contextmanager
def folder_written_atomically(path: Path) -> Iterator[Path]:
    """As `written_atomically`, for a folder."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        for one in temporary.rglob("*"):
            if one.is_file():
                _sync(one)
        if path.exists():
            old = path.with_name(f".{path.name}.{secrets.token_hex(6)}.old")
            path.rename(old)
            temporary.rename(path)
            shutil.rmtree(old)
        else:
            temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _sync(path: Path) -> None:
    # some platforms and file systems cannot sync a folder; the file itself was synced before
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def safe_parts(name: str, where: str) -> tuple[str, ...]:
    """The parts of a "/"-separated name from a file, of which none leads out of a folder.

    Raises:
        ValueError: For absolute names, "..", drive letters, backslashes and control characters.
    """
    parts = tuple(name.split("/"))
    if not name or any(part in (".", "..") or not _COMPONENT.fullmatch(part) for part in parts):
        raise UnsafeFileError("plain relative names inside the file", repr(name), where, "Do not use this file.")
    return parts
