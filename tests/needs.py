"""Marks for tests that need what may be missing: a feature of the backend, or packages (none is imported here)."""

import importlib.util

import pytest

from hornbeam.backend import active as backend

needs_gradients = pytest.mark.skipif("gradients" not in backend.features, reason="this backend has no gradients")


def needs(*packages: str, reason: str) -> pytest.MarkDecorator:
    """Skips where one of the packages is missing.

    Unlike `pytest.importorskip` at the top of a file, this loads none of them while tests are collected, which every
    process does for all files.
    """
    missing = [one for one in packages if importlib.util.find_spec(one) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is missing: {reason}")
