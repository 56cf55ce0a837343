"""`import hornbeam` is light: a fresh process lists what it loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

import hornbeam

pytestmark = pytest.mark.backend_free

# Nothing of these may be loaded before it is used.
HEAVY = (
    "jax", "jaxlib", "torch", "tensorflow", "keras",
    "h5py", "rich", "matplotlib", "pandas", "sklearn", "scipy", "PIL", "pydot", "pyarrow", "grain",
    "tensorboard", "optuna", "onnx", "onnxruntime", "huggingface_hub", "safetensors", "IPython",
    "tarfile", "zipfile", "urllib.request", "multiprocessing", "asyncio",
)  # fmt: skip


def loaded_by(statement: str) -> tuple[set[str], float]:
    program = (
        "import sys, time\nbefore = set(sys.modules)\nstart = time.perf_counter()\n"
        f"{statement}\n"
        "print(time.perf_counter() - start, *sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    seconds, *modules = done.stdout.split()
    return set(modules), float(seconds)


@pytest.mark.parametrize(
    "statement",
    [
        "import hornbeam",
        "import hornbeam; hornbeam.install_as_keras(); import keras; del sys.modules['keras']",
        "import hornbeam.utils, hornbeam.datasets",
    ],
)
def test_importing_loads_nothing_optional(statement):
    modules, seconds = loaded_by(statement)
    print(f"{statement}: {seconds * 1000:.0f} ms, {len(modules)} modules")
    assert not {one for one in modules if one.startswith(tuple(f"{name}." for name in HEAVY)) or one in HEAVY}


def test_every_folder_with_public_names_is_in_the_face():
    """`hornbeam.data` and the like load on first touch, whatever was imported before."""
    inner = ("backend", "cli", "training")
    folders = [one.name for one in Path(hornbeam.__file__).parent.iterdir() if (one / "__init__.py").exists()]
    missing = [one for one in folders if one not in (*hornbeam.__all__, *inner)]
    assert folders and not missing


def test_touching_a_layer_loads_one_backend():
    modules, seconds = loaded_by(
        "import os; os.environ['HORNBEAM_BACKEND'] = 'numpy'\nimport hornbeam; hornbeam.layers.Dense"
    )
    print(f"hornbeam.layers on NumPy: {seconds * 1000:.0f} ms, {len(modules)} modules")
    assert not {"jax", "torch", "tensorflow", "keras", "matplotlib", "pandas", "sklearn", "scipy", "PIL"} & modules
    assert "hornbeam.backend.numpy" in modules


@pytest.mark.parametrize("use", ["v = hornbeam.Variable(3.0); assert v * v == 9", "hornbeam.KerasTensor((2,)) + 1"])
def test_tensors_have_their_operators_at_once(use):
    loaded_by(f"import os; os.environ['HORNBEAM_BACKEND'] = 'numpy'\nimport hornbeam\n{use}")


def test_every_module_can_be_imported_first():
    """No module leans on another having been imported before it."""
    walk = "import pkgutil, hornbeam; print(*(m.name for m in pkgutil.walk_packages(hornbeam.__path__, 'hornbeam.')))"
    walked = subprocess.run([sys.executable, "-c", walk], capture_output=True, text=True, check=True, timeout=3000)
    modules = walked.stdout.split()
    skipped = ("hornbeam.backend.", "hornbeam.__main__", "hornbeam.cli.child")  # backends need their frameworks
    names = [one for one in modules if not one.startswith(skipped)]
    # One fresh interpreter each would be slow: hornbeam's modules are forgotten between imports instead.
    program = (
        "import importlib, os, sys\nos.environ['HORNBEAM_BACKEND'] = 'numpy'\n"
        f"for name in {names!r}:\n"
        "    for one in [m for m in sys.modules if m.split('.')[0] == 'hornbeam']:\n"
        "        del sys.modules[one]\n"
        "    try:\n        importlib.import_module(name)\n"
        "    except ImportError as problem:\n        print(name, type(problem).__name__, problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip(), done.stdout
