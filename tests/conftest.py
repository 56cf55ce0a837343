"""What all tests share: the folder of real data, warnings as errors, and which tests one backend stands for all in."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.quick_xla import QUICK_XLA

# The graphs that torch follows run as they are: a program for each would take seconds. Some tests ask for programs.
os.environ.setdefault("HORNBEAM_TORCH_COMPILER", "none")
# Several processes that each take all cores wait for each other: where tests run side by side, torch gets one thread.
if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get("HORNBEAM_BACKEND") == "torch":
    os.environ["OMP_NUM_THREADS"] = "1"
# XLA reads its flags once, when the first array is made, which may be while tests are collected: see quick_programs.
_XLA_FLAGS = os.environ.get("XLA_FLAGS", "").replace(QUICK_XLA, "").strip()  # without what xdist hands to its workers
os.environ["XLA_FLAGS"] = f"{_XLA_FLAGS} {QUICK_XLA}".strip()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that are the same on every backend, where another run has them."""
    if os.environ.get("HORNBEAM_TEST_BACKEND_FREE") == "0":
        left_out = [one for one in items if is_backend_free(one)]
        items[:] = [one for one in items if not is_backend_free(one)]
        config.hook.pytest_deselected(items=left_out)


# Programs started in the background of a script ignore Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def is_backend_free(item: pytest.Item) -> bool:
    """Whether a test is marked so: itself, or its file and not itself as `backend_free(False)`."""
    marker = item.get_closest_marker("backend_free")
    return marker is not None and marker.args != (False,)


@pytest.fixture
def equal_random() -> Iterator[None]:
    """Random numbers that are the same on every backend, compiled or not."""
    from hornbeam import config

    config.set_reproducible_random(True)
    yield
    config.set_reproducible_random(None)


@pytest.fixture(scope="module", autouse=True)
def small_heap() -> None:
    """What earlier tests left for good (compiled programs, caches) is not walked through by each later collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def quick_programs() -> None:
    """XLA's programs are made in the quickest way: few tests run one long enough to win the time back.

    That is without LLVM's slow passes, with the older of XLA's two emitters (`QUICK_XLA`), and without the cache on
    disk, whose lock the processes of a run wait for. Only in this process; the programs that tests start compile as
    they do for users.
    """
    if "jax" in sys.modules:
        jax = sys.modules["jax"]
        jax.config.update("jax_disable_most_optimizations", True)
        jax.config.update("jax_enable_compilation_cache", False)
        jax.local_devices()
    os.environ["XLA_FLAGS"] = _XLA_FLAGS
    if not _XLA_FLAGS:
        del os.environ["XLA_FLAGS"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the golden files and the real data, beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.fail(f"expected the folder {folder.name!r} with golden files and data beside the checkout")
    return folder
