"""Imports TensorFlow, quietly unless the user has chosen how much it says; all of this backend takes it from here."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from typing import Any


def _imported() -> Any:
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ or "tensorflow" in sys.modules:
        return importlib.import_module("tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "1"  # read once, at the import: notes stay away, warnings and errors come
    # what is written before the level is known goes straight to the descriptor of the standard error
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        return importlib.import_module("tensorflow")
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            return importlib.import_module("tensorflow")
        except BaseException:
            os.dup2(kept, 2)
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _leave_out_of_autograph() -> None:
    """Functions of hornbeam run as they are inside a user's `tf.function`, as those of TensorFlow do.

    Rewriting each of them would take seconds and change nothing: they branch on tensors through ops only.
    """
    try:
        rules = importlib.import_module("tensorflow.python.autograph.core.config")
        rules.CONVERSION_RULES = (rules.DoNotConvert("hornbeam"), *rules.CONVERSION_RULES)
    except (ImportError, AttributeError):
        return  # another version of TensorFlow: slower to trace, with the same result


tf = _imported()
_leave_out_of_autograph()

__all__ = ["tf"]
