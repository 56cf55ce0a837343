"""Unpacking: the known attacks on Keras's get_file, each as one archive, and the plain cases."""

import io
import os
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from hornbeam.errors import FileFormatError, StateError, UnsafeFileError
from hornbeam.utils import archives
from hornbeam.utils.archives import extract_archive

pytestmark = pytest.mark.backend_free


def tar_with(path: Path, *members: tuple[str, object], mode: str = "w:gz") -> Path:
    """A tar of (name, bytes) files, (name, None) folders and (name, {fields}) raw headers."""
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif isinstance(content, dict):
                for key, value in content.items():
                    setattr(info, key, value)
                archive.addfile(info, io.BytesIO(b"x" * info.size))
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def zip_with(path: Path, *members: tuple[str, object]) -> Path:
    """A zip of (name, bytes) files and (name, (bytes, unix mode)) files of any kind."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            if isinstance(content, tuple):
                content, mode = content
                info.external_attr = mode << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def symlink(to: str) -> dict:
    return {"type": tarfile.SYMTYPE, "linkname": to}


def hardlink(to: str) -> dict:
    return {"type": tarfile.LNKTYPE, "linkname": to}


# PATH_MAX: a chain of long folders and links whose resolved path is longer than the system can look up.
LONG = "d" * 247
CHAIN = [
    step
    for i in range(16)
    for step in (("/".join([LONG] * i + [LONG]), None), ("/".join([LONG] * i + [chr(97 + i)]), symlink(LONG)))
]

ATTACKS = {
    "CVE-2021-35958 and CVE-2024-55459: member climbs out": [("../../evil", b"x")],
    "climbs in the middle": [("a/../../evil", b"x")],
    "absolute path": [("/tmp/hornbeam-evil", b"x")],
    "absolute path with two slashes": [("//tmp/hornbeam-evil", b"x")],
    "backslashes": [("..\\..\\evil", b"x")],
    "drive": [("C:\\evil", b"x")],
    "folder climbs out": [("../evil", None)],
    "CVE-2025-12060: links whose path is too long to resolve": [
        *CHAIN,
        ("/".join(chr(97 + i) for i in range(16)) + "/" + "l" * 254, symlink("../" * 16)),
        ("/".join(chr(97 + i) for i in range(16)) + "/" + "l" * 254 + "/evil", b"x"),
    ],
    "CVE-2026-12482: symbolic link out, then a file through it": [("out", symlink("..")), ("out/evil", b"x")],
    "symbolic link to an absolute folder": [("out", symlink("/tmp")), ("out/hornbeam-evil", b"x")],
    "symbolic link alone": [("passwd", symlink("/etc/passwd"))],
    "symbolic link that stays inside": [("a", b"x"), ("b", symlink("a"))],
    "hard link out": [("passwd", hardlink("../../../etc/passwd"))],
    "hard link, then a file over it": [("a", hardlink("../evil")), ("a", b"x")],
    "pipe": [("pipe", {"type": tarfile.FIFOTYPE})],
    "character device": [("null", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3})],
    "block device": [("disk", {"type": tarfile.BLKTYPE, "devmajor": 8})],
}


def everything_below(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*")}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("good_first", [False, True], ids=["alone", "after a good file"])
def test_hostile_tar_is_refused_whole(tmp_path, name, good_first):
    members = [("good.txt", b"good")] * good_first + ATTACKS[name]
    archive = tar_with(tmp_path / "archive.tar.gz", *members)
    with pytest.raises(UnsafeFileError, match="Nothing was unpacked"):
        extract_archive(archive, tmp_path / "deep" / "er" / "target")
    assert everything_below(tmp_path) == {"archive.tar.gz", "deep", "deep/er"}
    assert not Path("/tmp/hornbeam-evil").exists()


ZIP_ATTACKS = {
    "member climbs out": [("../../evil", b"x")],
    "absolute path": [("/tmp/hornbeam-evil", b"x")],
    "backslashes": [("..\\evil", b"x")],
    "drive": [("C:/evil", b"x")],
    "symbolic link": [("out", (b"/tmp", stat.S_IFLNK | 0o777)), ("out/hornbeam-evil", b"x")],
    "pipe": [("pipe", (b"", stat.S_IFIFO | 0o666))],
    "folder climbs out": [("../evil/", b"")],
}


@pytest.mark.parametrize("name", ZIP_ATTACKS)
def test_hostile_zip_is_refused_whole(tmp_path, name):
    archive = zip_with(tmp_path / "archive.zip", ("good.txt", b"good"), *ZIP_ATTACKS[name])
    with pytest.raises(UnsafeFileError, match="Nothing was unpacked"):
        extract_archive(archive, tmp_path / "deep" / "target")
    assert everything_below(tmp_path) == {"archive.zip", "deep"}
    assert not Path("/tmp/hornbeam-evil").exists()


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_checks_hold_wherever_the_working_folder_is(tmp_path, monkeypatch, kind):
    # CVE-2026-11816: members were checked against the working folder, and with "/" everything lies inside it.
    make = tar_with if kind == "tar" else zip_with
    archive = make(tmp_path / "archive", (str(tmp_path / "evil").lstrip("/"), b"x"), ("../evil", b"x"))
    monkeypatch.chdir("/")
    with pytest.raises(UnsafeFileError):
        extract_archive(archive, tmp_path / "target")
    assert everything_below(tmp_path) == {"archive"}


def test_a_link_in_the_old_folder_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / "sub").symlink_to(outside)
    extract_archive(tar_with(tmp_path / "a.tar", ("sub/file", b"x"), mode="w"), target)
    assert (target / "sub" / "file").read_bytes() == b"x" and not (target / "sub").is_symlink()
    assert not any(outside.iterdir())


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_bombs_are_refused_before_anything_is_written(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "FREE_BYTES", 1 << 16)
    make = tar_with if kind == "tar" else zip_with
    archive = make(tmp_path / "bomb", ("zeros", bytes(5 << 20)))
    assert archive.stat().st_size < 6000
    with pytest.raises(UnsafeFileError, match="unpacks to at most"):
        extract_archive(archive, tmp_path / "target")
    assert everything_below(tmp_path) == {"bomb"}


def test_a_tar_that_declares_more_than_it_has_is_damaged(tmp_path):
    info = tarfile.TarInfo("huge")
    info.size = 1 << 20
    (tmp_path / "a.tar").write_bytes(info.tobuf() + b"few bytes" + bytes(1024))
    with pytest.raises(FileFormatError):
        extract_archive(tmp_path / "a.tar", tmp_path / "target")
    assert everything_below(tmp_path) == {"a.tar"}


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    archive = zip_with(tmp_path / "a.zip", *[(str(i), b"") for i in range(4)])
    with pytest.raises(UnsafeFileError, match="3 files"):
        extract_archive(archive, tmp_path / "target")


GOOD = [("a.txt", b"one"), ("deep/er/b.bin", bytes(range(256))), ("./c.txt", b"three"), ("empty", b"")]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_good_archives(tmp_path, mode):
    archive = tmp_path / "archive"
    if mode == "zip":
        zip_with(archive, *GOOD, ("folder/", b""))
    else:
        tar_with(archive, *GOOD, ("folder", None), mode=mode)
    extract_archive(archive, tmp_path / "target", "zip" if mode == "zip" else "tar")
    assert everything_below(tmp_path / "target") == {
        "a.txt", "deep", "deep/er", "deep/er/b.bin", "c.txt", "empty", "folder"
    }  # fmt: skip
    for name, content in GOOD:
        assert (tmp_path / "target" / name).read_bytes() == content
    assert everything_below(tmp_path) - everything_below(tmp_path / "target") >= {"archive", "target"}
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_permissions_of_the_archive_do_not_come_along(tmp_path):
    archive = tar_with(tmp_path / "a.tar", ("tool", {"mode": 0o6777, "size": 1}), mode="w")
    extract_archive(archive, tmp_path / "target")
    mode = (tmp_path / "target" / "tool").stat().st_mode
    assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)


def test_the_last_of_two_members_with_one_name_wins(tmp_path):
    archive = tar_with(tmp_path / "a.tar", ("f", b"old"), ("f", b"new"), mode="w")
    extract_archive(archive, tmp_path / "target")
    assert (tmp_path / "target" / "f").read_bytes() == b"new"


def test_the_old_folder_is_replaced_and_kept_on_failure(tmp_path):
    target = tmp_path / "target"
    extract_archive(tar_with(tmp_path / "1.tar", ("one", b"1"), mode="w"), target)
    with pytest.raises(UnsafeFileError):
        extract_archive(tar_with(tmp_path / "2.tar", ("two", b"2"), ("../evil", b"x"), mode="w"), target)
    assert everything_below(target) == {"one"}
    extract_archive(tar_with(tmp_path / "3.tar", ("three", b"3"), mode="w"), target)
    assert everything_below(target) == {"three"}
    assert everything_below(tmp_path) == {"1.tar", "2.tar", "3.tar", "target", "target/three"}


def test_a_file_where_the_folder_should_be_stays(tmp_path):
    (tmp_path / "target").write_text("mine")
    with pytest.raises(StateError, match="Move it away"):
        extract_archive(tar_with(tmp_path / "1.tar", ("one", b"1"), mode="w"), tmp_path / "target")
    assert (tmp_path / "target").read_text() == "mine"


def _truncated(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize("kind", ["text", "empty", "missing", "cut tar.gz", "cut zip", "flipped zip"])
def test_what_is_no_whole_archive(tmp_path, kind):
    path, noise = tmp_path / "file", os.urandom(5000)
    if kind == "text":
        path.write_text("no archive at all")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut tar.gz":
        _truncated(tar_with(path, ("a", noise), ("b", noise)))
    elif kind == "cut zip":
        _truncated(zip_with(path, ("a", noise)))
    elif kind == "flipped zip":
        zip_with(path, ("a", noise))
        content = bytearray(path.read_bytes())
        content[2000] ^= 255
        path.write_bytes(content)
    with pytest.raises(FileFormatError) as caught:
        extract_archive(path, tmp_path / "target")
    assert str(path) in str(caught.value)
    assert not (tmp_path / "target").exists()


def test_an_encrypted_zip_says_so(tmp_path):
    path = zip_with(tmp_path / "a.zip", ("a", b"secret"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="encrypted"):
        extract_archive(path, tmp_path / "target")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_odd_but_harmless_names(tmp_path):
    names = ["a b", "cc:d", "naïve", "...", "-rf"]
    extract_archive(tar_with(tmp_path / "a.tar", *[(one, b"x") for one in names], mode="w"), tmp_path / "t")
    assert everything_below(tmp_path / "t") == set(names)
