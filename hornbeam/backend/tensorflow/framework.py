"""Imports TensorFlow, quietly unless the user has chosen how much it says; all of this backend takes it from here."""

from __future__ import annotations

import os

# Before the import: it is read once. "1" leaves out notes about the machine, warnings and errors stay.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

import tensorflow as tf

__all__ = ["tf"]
