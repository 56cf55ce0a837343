"""Writing that never harms what was there: beside the place, synced, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from hornbeam.errors import ArgumentError


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
