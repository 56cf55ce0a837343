"""A mark for tests that need packages which may be missing; nothing is imported to find that out."""

import importlib.util

import pytest


def needs(*packages: str, reason: str) -> pytest.MarkDecorator:
    """Skips where one of the packages is missing.

    Unlike `pytest.importorskip` at the top of a file, this loads none of them while tests are collected, which every
    process does for all files.
    """
    missing = [one for one in packages if importlib.util.find_spec(one) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is missing: {reason}")
