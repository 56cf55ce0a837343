"""PyPI's keras, asked in a process of its own; what it answered is kept, since all backends ask the same.

An answer is found again by the text of the question and the versions of what answered it. Answers lie in pytest's cache
folder: `pytest --cache-clear` forgets them.
"""

import atexit
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.quick_xla import QUICK_XLA

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = ROOT / ".pytest_cache" / "d" / "keras-answers"
_VERSIONS = [sys.version, *(f"{name} {metadata.version(name)}" for name in ("keras", "jax", "numpy"))]

_PRELUDE = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, keras
folder, given = sys.argv[1], json.load(sys.stdin)
"""
_ARRAYS = """
np.savez(sys.argv[1] + "/out.npz", **{name: np.asarray(value) for name, value in out.items()})
"""


def ask(
    program: str, given: Any = None, backend: str = "numpy", tables: tuple[Path, ...] = (), keep: bool = True
) -> Path:
    """Runs a program on Keras.

    Args:
        program: The text, in which `keras`, `np`, `json`, `folder` and `given` are known. It may write into `folder`.
        given: Plain data for it.
        backend: Keras's backend. NumPy's is the fastest here, since nothing is compiled.
        tables: Python files that the program imports, by the names of the files.
        keep: Whether the same question has the same answer, so that it need be asked only once; not so where the
            program reads files.

    Returns:
        The folder into which the program wrote, with what it printed in the file `stdout`. Not to be changed.
    """
    texts = (one.read_text(encoding="utf-8") for one in tables)
    question = "\0".join([*_VERSIONS, backend, program, json.dumps(given), *texts])
    kept = ANSWERS / hashlib.sha256(question.encode()).hexdigest()[:32]
    assert not (keep and tempfile.gettempdir() in question), "a program that reads files of a test asks with keep=False"
    if keep and kept.is_dir():
        return kept
    ANSWERS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=ANSWERS if keep else None))
    environment = {**os.environ, "KERAS_BACKEND": backend, "KERAS_HOME": str(folder), "JAX_PLATFORMS": "cpu"}
    environment |= {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "XLA_FLAGS": QUICK_XLA}  # made in the quickest way, run once
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join({str(one.parent) for one in tables})}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PRELUDE + program, str(folder)], env=environment,
        capture_output=True, text=True, timeout=300, check=False, input=json.dumps(given),
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(folder)
        pytest.fail(f"the program for keras failed:\n{done.stderr[-3000:]}")
    (folder / "stdout").write_text(done.stdout, encoding="utf-8")
    if not keep:
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder
    try:
        folder.rename(kept)
    except OSError:  # another process has asked meanwhile
        shutil.rmtree(folder)
    return kept


def tell(program: str, given: Any = None, **options: Any) -> Any:
    """The json on the last line that a program prints on Keras; the options are those of `ask`."""
    return json.loads((ask(program, given, **options) / "stdout").read_text(encoding="utf-8").splitlines()[-1])


def run(program: str, backend: str = "jax", keep: bool = True) -> dict[str, np.ndarray]:
    """Runs `program`, in which `keras`, `jax`, `jnp`, `np` and the dict `out` are known; returns what is in `out`."""
    folder = ask("import jax, jax.numpy as jnp\nout = {}\n" + program + _ARRAYS, backend=backend, keep=keep)
    with np.load(folder / "out.npz") as loaded:
        return dict(loaded)
