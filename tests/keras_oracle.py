"""PyPI's keras, called in a process of its own: a program fills a dict of arrays, a test reads it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

_PRELUDE = """
import sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, jax, jax.numpy as jnp, keras
out = {}
"""
_END = """
np.savez(sys.argv[1], **{name: np.asarray(value) for name, value in out.items()})
"""


def run(program: str, backend: str = "jax") -> dict[str, np.ndarray]:
    """Runs `program`, in which `keras`, `jax`, `jnp`, `np` and the dict `out` are known; returns what is in `out`."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "out.npz"
        environment = {**os.environ, "KERAS_BACKEND": backend, "KERAS_HOME": folder, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-c", _PRELUDE + program + _END, str(result)], env=environment, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the program for keras failed:\n{done.stderr[-3000:]}")
        with np.load(result) as loaded:
            return dict(loaded)
