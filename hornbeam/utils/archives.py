"""Unpacks tar and zip archives into a folder, and nowhere else; every archive is treated as written by an enemy."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from hornbeam.errors import ArgumentError, FileFormatError, StateError, UnknownNameError, UnsafeFileError

FORMATS = ("tar", "zip")
# What an archive unpacks to may exceed both of these only together: honest data is never packed so densely.
FREE_BYTES = 1 << 30
DENSEST = 200
MAX_MEMBERS = 5_000_000
_CHUNK = 1 << 20
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


class _Member(NamedTuple):
    """One file or folder of an archive: its parts are checked and safe to join to a folder."""

    parts: tuple[str, ...]
    is_folder: bool
    size: int
    raw: Any


def archive_formats(archive_format: str | Iterable[str] | None) -> tuple[str, ...]:
    """The formats to try for Keras's `archive_format` argument: "tar", "zip", "auto", a list or None."""
    if archive_format is None:
        return ()
    if archive_format == "auto":
        return FORMATS
    formats = (archive_format,) if isinstance(archive_format, str) else tuple(archive_format)
    for one in formats:
        if one not in FORMATS:
            raise UnknownNameError("archive format", one, (*FORMATS, "auto"), "archive_format")
    return formats


def extract_archive(path: str | os.PathLike, target: str | os.PathLike, formats: str | Iterable[str] = "auto") -> None:
    """Unpacks a tar or zip archive into a folder: all of it or nothing.

    Every member is checked before the first is written. Only plain files and folders are made, with plain
    permissions, in a new folder that takes its name at the end: no link that was in the archive, or in the
    old folder, can lead a write elsewhere, whatever the working folder is.

    Args:
        path: The archive.
        target: The folder; what it held before is replaced.
        formats: "tar", "zip", a list of them, or "auto".

    Raises:
        ValueError: If a member has an absolute path or a `..`, is a link, a device or a pipe, or if the
            archive unpacks to an absurd size.
        OSError: If the file is no archive of these formats, or damaged.
    """
    path, target = Path(path), Path(target)
    formats = archive_formats(formats)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with _open(path, formats) as archive:
            members = _checked_members(archive, path, shutil.disk_usage(fresh).free)
            for member in members:
                _write(archive, member, fresh, path)
        fresh.chmod(0o755)
        _put_in_place(fresh, target)
    except (UnsafeFileError, FileFormatError, StateError):
        raise
    except _DAMAGED as problem:
        raise FileFormatError(
            "a whole archive", f"{type(problem).__name__}: {problem}", str(path), "Delete it and fetch it again."
        ) from problem
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _open(path: Path, formats: tuple[str, ...]) -> tarfile.TarFile | zipfile.ZipFile:
    try:
        if "tar" in formats and tarfile.is_tarfile(path):
            return tarfile.open(path)
        if "zip" in formats and zipfile.is_zipfile(path):
            return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise FileFormatError("an archive", "no such file", str(path)) from None
    raise FileFormatError(f"a {' or '.join(formats)} archive", "another kind of file, or a damaged one", str(path))


def _checked_members(archive: tarfile.TarFile | zipfile.ZipFile, path: Path, free: int) -> list[_Member]:
    limit = min(max(FREE_BYTES, path.stat().st_size * DENSEST), free)
    members, total = [], 0
    for member in _tar_members(archive, path) if isinstance(archive, tarfile.TarFile) else _zip_members(archive, path):
        members.append(member)
        total += member.size
        if total > limit or len(members) > MAX_MEMBERS:
            raise UnsafeFileError(
                f"an archive that unpacks to at most {limit:,} bytes and {MAX_MEMBERS:,} files",
                "more",
                str(path),
                "If you trust it, and the disk has room, unpack it by hand.",
            )
    return members


def _tar_members(archive: tarfile.TarFile, path: Path) -> Iterator[_Member]:
    for info in archive:
        if not (info.isreg() or info.isdir()):
            kind = "a link" if info.issym() or info.islnk() else "a device, a pipe or of an unknown kind"
            raise _unsafe(path, info.name, f"which is {kind}")
        yield _Member(_safe_parts(info.name, path), info.isdir(), info.size if info.isreg() else 0, info)


def _zip_members(archive: zipfile.ZipFile, path: Path) -> Iterator[_Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _unsafe(path, info.filename, "which is a link, a device or a pipe")
        if info.flag_bits & 1:
            raise FileFormatError("an archive without a password", f"{info.filename!r} is encrypted", str(path))
        yield _Member(_safe_parts(info.filename, path), info.is_dir(), info.file_size, info)


def _safe_parts(name: str, path: Path) -> tuple[str, ...]:
    r"""The parts of a member's name; `\` separates too, as it does where archives are made on Windows."""
    if not name or "\0" in name or name[0] in "/\\" or re.match(r"[A-Za-z]:", name):
        raise _unsafe(path, name, "which is no relative path")
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    if ".." in parts:
        raise _unsafe(path, name, "which leaves the folder")
    if os.name == "nt" and any(":" in part or part.rstrip(". ") != part for part in parts):
        raise _unsafe(path, name, "which means another file on Windows")
    return tuple(parts)


def _unsafe(path: Path, name: str, why: str) -> UnsafeFileError:
    return UnsafeFileError(
        "an archive of plain files and folders",
        f"the member {name!r}, {why}",
        str(path),
        "Nothing was unpacked. If you trust the archive, unpack it by hand.",
    )


def _write(archive: tarfile.TarFile | zipfile.ZipFile, member: _Member, folder: Path, path: Path) -> None:
    place = folder.joinpath(*member.parts)
    if member.is_folder or not member.parts:
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # a later member of the same name wins, as tar has it
    source: IO[bytes] | None
    source = archive.extractfile(member.raw) if isinstance(archive, tarfile.TarFile) else archive.open(member.raw)
    if source is None:
        raise _unsafe(path, member.raw.name, "which has no content")
    with source, place.open("xb") as file:
        left = member.size
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ArgumentError(f"{member.size} bytes as declared", "more", str(path))
            file.write(chunk)


def _put_in_place(fresh: Path, target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise StateError("a free place for a folder", f"the file {target}", "extract_archive", "Move it away.")
    if not target.exists():
        fresh.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    target.rename(old / "folder")
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
