"""get_file: the cache, hashes, hostile names, downloads that break off."""

import hashlib
import http.server
import os
import threading
import zipfile
from pathlib import Path

import pytest

from hornbeam._atomic import written_atomically
from hornbeam.errors import ArgumentError, FileFormatError, UnknownNameError, UnsafeFileError
from hornbeam.utils import files
from hornbeam.utils.files import get_file

pytestmark = pytest.mark.backend_free


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras home"))
    return tmp_path / "keras home"


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "plain.txt").write_text("plain")
    with zipfile.ZipFile(folder / "pack.zip", "w") as archive:
        archive.writestr("inner/a.txt", "a")
    return folder


def test_the_file_is_fetched_once(cache, source):
    origin = (source / "plain.txt").as_uri()
    path = get_file("p.txt", origin)
    assert Path(path) == cache / "datasets" / "p.txt" and Path(path).read_text() == "plain"
    (source / "plain.txt").write_text("newer")
    assert Path(get_file("p.txt", origin)).read_text() == "plain"
    assert Path(get_file("p.txt", origin, force_download=True)).read_text() == "newer"
    assert os.listdir(cache / "datasets") == ["p.txt"]


def test_name_and_folder_arguments(cache, source, tmp_path):
    origin = (source / "plain.txt").as_uri()
    assert Path(get_file(origin=origin)) == cache / "datasets" / "plain.txt"
    assert Path(get_file(Path("q.txt"), origin, cache_subdir="sub")) == cache / "sub" / "q.txt"
    assert Path(get_file("q.txt", origin, cache_dir=tmp_path / "own")) == tmp_path / "own" / "datasets" / "q.txt"


@pytest.mark.parametrize(
    ("arguments", "folder", "archive"),
    [
        ({"fname": "pack.zip", "extract": True}, "pack_extracted", "pack.zip"),
        ({"fname": "other.zip", "extract": True, "archive_format": "zip"}, "other_extracted", "other.zip"),
        ({"fname": "pack", "extract": True, "archive_format": ["tar", "zip"]}, "pack", "pack_archive"),
        ({"extract": True}, "pack.zip", "pack.zip_archive"),
    ],
)
def test_extraction_places_are_those_of_keras(cache, source, arguments, folder, archive):
    path = get_file(origin=(source / "pack.zip").as_uri(), **arguments)
    assert Path(path) == cache / "datasets" / folder
    assert (Path(path) / "inner" / "a.txt").read_text() == "a"
    assert sorted(os.listdir(cache / "datasets")) == sorted([folder, archive])


def test_extraction_happens_once_and_again_when_the_folder_is_gone(cache, source):
    def fetch() -> Path:
        return Path(get_file("pack.zip", (source / "pack.zip").as_uri(), extract=True))

    (fetch() / "mine").write_text("kept")
    assert (fetch() / "mine").exists()
    for one in sorted(fetch().rglob("*"), reverse=True):
        one.unlink() if one.is_file() else one.rmdir()
    assert (fetch() / "inner" / "a.txt").exists()


def test_untar_refuses_a_zip(cache, source):
    with pytest.raises(FileFormatError, match="tar archive"):
        get_file("pack", (source / "pack.zip").as_uri(), untar=True)


@pytest.mark.parametrize(
    "name", ["../p.txt", "/p.txt", "a/b", "a\\b", "..", ".", "", "C:p.txt", "nul", "COM1.txt", "a\0b"]
)
def test_names_that_are_paths_are_refused(cache, source, name):
    with pytest.raises(ValueError, match="file name without a folder"):
        get_file(name, (source / "plain.txt").as_uri())


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://x.org/a/b.txt?c=/../d", "b.txt"),
        ("https://x.org/a/%2e%2e%2fevil.txt", "evil.txt"),
        ("https://x.org/a/..%5cevil.txt", "evil.txt"),
    ],
)
def test_names_taken_from_addresses(origin, name):
    assert files._checked_name(None, origin) == name


@pytest.mark.parametrize("origin", ["https://x.org/", "https://x.org/a/..", "https://x.org/a%2f..", "https://x.org/."])
def test_addresses_that_hold_no_name(origin):
    with pytest.raises(ValueError):
        files._checked_name(None, origin)


@pytest.mark.parametrize("origin", [None, ""])
def test_no_address(origin):
    with pytest.raises(ValueError, match="address to fetch from"):
        get_file("p.txt", origin)


@pytest.mark.parametrize("scheme", ["data:text/plain,hello", "gopher://x.org/a.txt", "javascript:1/a.txt"])
def test_other_schemes_are_refused(cache, scheme):
    with pytest.raises(ValueError, match="http, https, ftp or file"):
        get_file("p.txt", scheme)


HASHES = [
    ({"file_hash": hashlib.sha256(b"plain").hexdigest()}, True),
    ({"file_hash": hashlib.sha256(b"plain").hexdigest().upper()}, True),
    ({"file_hash": hashlib.md5(b"plain").hexdigest()}, True),
    ({"md5_hash": hashlib.md5(b"plain").hexdigest()}, True),
    ({"file_hash": hashlib.sha1(b"plain").hexdigest(), "hash_algorithm": "sha1"}, True),
    ({"file_hash": "00" * 32}, False),
    ({"md5_hash": "00" * 16}, False),
]


@pytest.mark.parametrize(("arguments", "right"), HASHES)
def test_hashes(cache, source, arguments, right):
    origin = (source / "plain.txt").as_uri()
    if right:
        assert Path(get_file("p.txt", origin, **arguments)).read_text() == "plain"
        return
    with pytest.raises(ValueError, match="nothing was kept"):
        get_file("p.txt", origin, **arguments)
    assert os.listdir(cache / "datasets") == []


def test_a_cached_file_with_another_hash_is_fetched_again_and_survives_a_failure(cache, source):
    target = cache / "datasets" / "p.txt"
    target.parent.mkdir(parents=True)
    target.write_text("damaged")
    with pytest.raises(OSError):
        get_file("p.txt", (source / "gone").as_uri(), file_hash="00" * 32)
    assert target.read_text() == "damaged"
    get_file("p.txt", (source / "plain.txt").as_uri(), file_hash=hashlib.sha256(b"plain").hexdigest())
    assert target.read_text() == "plain"


def test_unknown_algorithm_and_format(cache, source):
    with pytest.raises(UnknownNameError, match="sha256"):
        get_file("p.txt", (source / "plain.txt").as_uri(), file_hash="00", hash_algorithm="sha257")
    with pytest.raises(UnknownNameError, match="tar"):
        get_file("p.txt", (source / "plain.txt").as_uri(), extract=True, archive_format="rar")


def test_hostile_archive_through_get_file(cache, source):
    with zipfile.ZipFile(source / "evil.zip", "w") as archive:
        archive.writestr("../../evil", "x")
    with pytest.raises(UnsafeFileError):
        get_file("evil.zip", (source / "evil.zip").as_uri(), extract=True)
    assert os.listdir(cache / "datasets") == ["evil.zip"]


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"x" * 1000
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(2000 if self.path == "/cut" else 1000))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.HTTPServer(("127.0.0.1", 0), _Server) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()


def test_http(cache, server, capsys):
    assert Path(get_file("f", f"{server}/whole")).read_bytes() == b"x" * 1000
    for path in ("cut", "gone"):
        with pytest.raises(OSError) as caught:
            get_file(path, f"{server}/{path}")
        assert f"{server}/{path}" in str(caught.value)
    assert os.listdir(cache / "datasets") == ["f"]
    # no terminal: one line for each download that began, and not one control character
    assert capsys.readouterr().out.splitlines() == ["Downloading f", "Downloading cut"]


def test_no_network_says_where_to_put_the_file(cache):
    with pytest.raises(OSError, match="put the file by hand at") as caught:
        get_file("f", "http://127.0.0.1:9/f")
    assert str(cache / "datasets" / "f") in str(caught.value)


def test_writing_in_place_of_a_file_is_all_or_nothing(tmp_path):
    target = tmp_path / "f"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), written_atomically(target) as file:
        file.write_bytes(b"new")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["f"]
    with written_atomically(target) as file:
        file.write_bytes(b"new")
    assert target.read_bytes() == b"new" and os.listdir(tmp_path) == ["f"]


def test_a_planted_cache_in_the_temporary_folder_is_not_used(tmp_path, monkeypatch):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the cache would be")
    monkeypatch.setattr(files.tempfile, "gettempdir", lambda: str(tmp_path))
    own = files._writable(blocked, "datasets")
    assert own == tmp_path / f".keras-{os.getuid()}" / "datasets"
    own.parent.chmod(0o777)
    with pytest.raises(RuntimeError, match="KERAS_HOME"):
        files._writable(blocked, "datasets")


def test_validate_file(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert files.hash_file(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
    assert files.validate_file(tmp_path / "f", hashlib.md5(b"abc").hexdigest())
    assert not files.validate_file(tmp_path / "f", "00")
    with pytest.raises(ArgumentError):
        files.hash_file(tmp_path / "f", "nonsense")
