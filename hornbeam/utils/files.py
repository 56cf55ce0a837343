"""Files from the net into a local cache: fetched whole or not at all, and checked; knows nothing of data sets."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from hornbeam import _config, _terminal
from hornbeam._atomic import written_atomically
from hornbeam.errors import ArgumentError, FileFormatError, StateError, UnknownNameError
from hornbeam.utils.archives import archive_formats, extract_archive

_SUFFIXES = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".txz", ".tar", ".zip")
_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 60
# Device names and characters that mean something else on Windows.
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


class DownloadError(FileFormatError):
    """A file could not be fetched, or came damaged."""


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Iterable[str] | None = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """Fetches a file once and gives its place in the local cache.

    The download goes to a temporary file and takes its name only when it is whole and its hash is right.
    Archives are unpacked file by file into an empty folder; a member that would land outside of it, or that
    is a link or a device, makes the whole archive refused.

    Args:
        fname: The name in the cache; the last part of `origin` if None. A name, not a path.
        origin: The address (http, https, ftp or file).
        untar: Older form of `extract=True`.
        md5_hash: Older form of `file_hash` with `hash_algorithm="md5"`.
        file_hash: The expected hash, in hexadecimal digits.
        cache_subdir: Folder below the cache; a path outside of it may be given in absolute form.
        hash_algorithm: "md5", "sha256", any other name `hashlib` knows, or "auto" (by the length of the hash).
        extract: Whether to unpack the file, which must be a tar or zip archive.
        archive_format: "tar", "zip", a list of them to try, or "auto" for both.
        cache_dir: The cache; `$KERAS_HOME`, else `~/.keras`, if None.
        force_download: Whether to fetch the file though it is there.

    Returns:
        The path of the file, or of the folder it was unpacked to: `NAME_extracted` where `fname` ends like an
        archive (`NAME.tar.gz`), else `fname` itself.

    Raises:
        ValueError: If an argument, the hash, or a member of the archive is wrong.
        OSError: If the file cannot be fetched; the text says where to put it by hand.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "words.txt").write_text("one two")
    >>> path = get_file(origin=(folder / "words.txt").as_uri(), cache_dir=folder)
    Downloading words.txt
    >>> pathlib.Path(path).read_text(), pathlib.Path(path).parent.name
    ('one two', 'datasets')
    """
    if not origin:
        raise ArgumentError("an address to fetch from", f"origin={origin!r}", "get_file", "Give origin='https://...'.")
    name = _checked_name(fname, origin)
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    extract = extract or untar
    if untar:
        archive_format = "tar"
    formats = archive_formats(archive_format) if extract else ()

    folder = _writable(Path(cache_dir) if cache_dir is not None else _config.home(), cache_subdir)
    suffix = next((one for one in _SUFFIXES if name.lower().endswith(one)), "")
    unpack_to = folder / (name[: -len(suffix)] + "_extracted" if suffix and fname is not None else name)
    target = folder / (name if not extract or unpack_to.name != name else name + "_archive")

    if force_download or not target.exists() or (file_hash and not validate_file(target, file_hash, hash_algorithm)):
        download(origin, target, file_hash, hash_algorithm)
        fresh = True
    else:
        fresh = False
    if not extract:
        return str(target)
    if fresh or not unpack_to.is_dir() or not any(unpack_to.iterdir()):
        extract_archive(target, unpack_to, formats)
    return str(unpack_to)


def _checked_name(fname: str | os.PathLike | None, origin: str) -> str:
    """The cache name, which must be one plain name: no folder, no drive, nothing hidden in an escape."""
    if fname is None:
        path = urllib.parse.urlsplit(origin).path
        # decoded before it is split, so that %2F and %5C cannot smuggle a separator in
        name = re.split(r"[/\\]", urllib.parse.unquote(path))[-1]
        if not name:
            raise ArgumentError("an address that ends in a file's name", repr(origin), "get_file", "Give fname.")
    else:
        name = os.fspath(fname)
    if re.search(r"[/\\:\0]", name) or name in ("", ".", "..") or _RESERVED.match(name):
        raise ArgumentError(
            "a file name without a folder",
            f"fname={name!r}",
            "get_file",
            "Give the folder as cache_dir or cache_subdir.",
        )
    return name


def _writable(cache: Path, subdir: str) -> Path:
    """The folder for cached files; below the system's temporary folder where the cache cannot be written."""
    cache = cache.expanduser()
    try:
        folder = cache / subdir
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    # The home folder may be read-only, as in containers. Others can write to the temporary folder, too: a place
    # there is used only if it is ours alone, so that nobody can plant files.
    owner = os.getuid() if hasattr(os, "getuid") else 0
    private = Path(tempfile.gettempdir()) / f".keras-{owner}"
    private.mkdir(mode=0o700, exist_ok=True)
    facts = private.lstat()
    if hasattr(os, "getuid") and (not stat.S_ISDIR(facts.st_mode) or facts.st_uid != owner or facts.st_mode & 0o022):
        raise StateError("a cache folder that can be written", f"{cache}", "get_file", "Set KERAS_HOME to one.")
    folder = private / subdir
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# --- hashes ------------------------------------------------------------------------------------------------


def hash_file(path: str | os.PathLike, algorithm: str = "sha256") -> str:
    """The hash of a file in hexadecimal digits.

    Args:
        path: The file.
        algorithm: A name `hashlib` knows; "auto" means sha256.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: _hasher(algorithm)).hexdigest()


def _hasher(algorithm: str) -> Any:
    name = "sha256" if algorithm == "auto" else algorithm
    try:
        # a checksum against damage in transit, chosen by the caller
        return hashlib.new(name, usedforsecurity=False)
    except (ValueError, TypeError):
        raise UnknownNameError("hash algorithm", algorithm, hashlib.algorithms_guaranteed, "hash_algorithm") from None


def validate_file(path: str | os.PathLike, file_hash: str, algorithm: str = "auto") -> bool:
    """Whether a file has this hash.

    Args:
        path: The file.
        file_hash: The expected hash in hexadecimal digits.
        algorithm: As in `get_file`; "auto" takes sha256 for 64 digits and md5 for all else.
    """
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    return hash_file(path, algorithm) == file_hash.lower()


# --- fetching ----------------------------------------------------------------------------------------------


def download(origin: str, target: str | os.PathLike, file_hash: str | None = None, algorithm: str = "auto") -> None:
    """Fetches one file; `target` changes only when the new file is whole and right.

    Args:
        origin: The address.
        target: The file to write.
        file_hash: The expected hash, or None.
        algorithm: As in `get_file`.

    Raises:
        ValueError: If the hash differs.
        OSError: If the file cannot be fetched.
    """
    target = Path(target)
    scheme = urllib.parse.urlsplit(origin).scheme
    if scheme not in ("http", "https", "ftp", "file"):
        raise ArgumentError("an address with http, https, ftp or file", repr(origin), "get_file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_atomically(target) as temporary, temporary.open("wb") as file:
        try:
            with urllib.request.urlopen(origin, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - checked above
                size = int(response.headers.get("Content-Length") or 0)
                received = _copy(response, file, size, f"Downloading {target.name}")
        except (OSError, ValueError) as problem:  # URLError and HTTPError are OSErrors
            if isinstance(problem, urllib.error.HTTPError):
                problem.close()  # it holds the connection
            reason = getattr(problem, "reason", None) or problem
            raise DownloadError(
                f"a file at {origin}",
                f"{type(problem).__name__}: {reason}",
                "get_file",
                f"Check the network, or put the file by hand at {target}",
            ) from problem
        if size and received != size:
            raise DownloadError(f"{size} bytes from {origin}", f"{received} bytes", "get_file", "Try again.")
        file.flush()
        if file_hash and not validate_file(file.name, file_hash, algorithm):
            raise ArgumentError(
                f"a file with the {algorithm} hash {file_hash}",
                "another or a damaged file",
                f"get_file: {origin}",
                "Check the hash and the address; nothing was kept.",
            )


def _copy(source: Any, file: IO[bytes], size: int, title: str) -> int:
    """Copies a stream; shows a bar on a terminal, one line elsewhere."""
    received = 0
    on_terminal = _terminal.standard_output().kind == "terminal"
    if not on_terminal and _config.is_interactive_logging_enabled():
        print(title)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), disable=not on_terminal) as bar:
        task = bar.add_task(title, total=size or None)
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            received += len(chunk)
            bar.update(task, completed=received)
    return received
