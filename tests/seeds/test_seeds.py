"""The programs of the seed documents run, word for word, under `hornbeam run`, on the backends they are written for."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from hornbeam.backend import active as backend
from tests.cli.test_run import hornbeam
from tests.seeds import documents

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="the documents' programs import tensorflow"
)
HERE = [
    (number, name)
    for number, programs in documents.PROGRAMS.items()
    for name, one in programs.items()
    if backend.name in one.backends
]
PROSE = sorted(documents.PROSE.glob("*.py"))
TRAINS = "gradients" in backend.features


@pytest.fixture(scope="module")
def results(shared, tmp_path_factory):
    """What came of each program: its traceback, or nothing. They share a process, since each takes seconds to start."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "datasets").mkdir()
    (folder / "datasets" / "mnist.npz").symlink_to(shared / "data" / "mnist.npz")
    files = {}
    for number, name in HERE:
        blocks = documents.blocks_of(documents.document(shared, number))
        files[number, name] = f"{number} {name}.py"
        (folder / files[number, name]).write_text(documents.text_of(documents.PROGRAMS[number][name], blocks))
    programs = [*files.values(), *(map(str, PROSE) if TRAINS else ())]
    done = hornbeam(
        "run", str(Path(__file__).with_name("driver.py")), *programs, cwd=folder, timeout=400,
        HORNBEAM_BACKEND=backend.name, KERAS_HOME=str(folder),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((folder / "results.json").read_text())
    return {key: found[file] for key, file in files.items()} | {path.stem: found.get(str(path)) for path in PROSE}


@pytest.mark.parametrize(("number", "name"), HERE, ids=[" ".join(one) for one in HERE])
def test_program(results, number, name):
    expected = documents.PROGRAMS[number][name].raises
    found = results[number, name]
    if expected:
        assert re.search(expected, found.strip().rpartition("\n")[2]), found or "it ran to its end"
    else:
        assert not found, found


@pytest.mark.skipif(not TRAINS, reason="this backend does not train")
@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_what_is_said_in_words(results, path):
    assert results[path.stem] == "", results[path.stem]


@pytest.mark.parametrize("number", documents.PROGRAMS)
def test_every_block_is_in_a_program(shared, number):
    blocks = documents.blocks_of(documents.document(shared, number))
    used = {one for program in documents.PROGRAMS[number].values() for one in program.blocks}
    left = {one for document, one in documents.LEFT_OUT if document == number and isinstance(one, int)}
    assert used | left == set(range(len(blocks))) and not used & left
