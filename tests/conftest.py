"""What all tests share: the folder of real data and golden files, and warnings as errors."""

import os
from pathlib import Path

import pytest

# The graphs that torch follows run as they are: a program for each would take seconds. Some tests ask for programs.
os.environ.setdefault("HORNBEAM_TORCH_COMPILER", "none")
# Several processes that each take all cores wait for each other: where tests run side by side, torch gets one thread.
if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get("HORNBEAM_BACKEND") == "torch":
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the golden files and the real data, beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.fail(f"expected the folder {folder.name!r} with golden files and data beside the checkout")
    return folder
