"""The errors hornbeam raises, the form of their text, and its warnings; knows nothing of what failed."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable
from typing import Any


class HornbeamError(Exception):
    """Base of all errors that hornbeam raises on purpose.

    The text always answers four questions: what was expected, what came, where, and what to do.

    Args:
        expected: What the code needed, as the end of a sentence that starts with "expected".
        got: What came instead, already as text, such as ``"shape=(2, 3)"``.
        where: The place, such as a layer's path or the name of a function.
        fix: What to do about it, a full sentence.
    """

    def __init__(self, expected: str, got: str = "", where: str = "", fix: str = "") -> None:
        text = f"expected {expected}"
        if got:
            text += f", got {got}"
        if where:
            text = f"{where}: {text}"
        text = text.rstrip(".") + "."
        if fix:
            text += f" {fix}"
        super().__init__(text)
        self.expected, self.got, self.where, self.fix = expected, got, where, fix

    def __str__(self) -> str:
        # KeyError and OSError would otherwise print their argument in a form of their own.
        return str(self.args[0])


class ArgumentError(HornbeamError, ValueError):
    """An argument of the right type has a value that cannot be used."""


class ArgumentTypeError(HornbeamError, TypeError):
    """An argument has a type that cannot be used."""


class StateError(HornbeamError, RuntimeError):
    """A call came at a time when it cannot be done, such as before `compile`."""


class ValueStateError(HornbeamError, ValueError):
    """Like `StateError` where Keras raises a ValueError, such as using an unbuilt model."""


class UnknownNameError(ArgumentError):
    """A name that nothing has; the text lists the nearest known ones.

    Args:
        kind: What the name should name, such as "optimizer".
        name: The name that came.
        known: All names that would do.
        where: The place, as in `HornbeamError`.
    """

    def __init__(self, kind: str, name: Any, known: Iterable[str], where: str = "") -> None:
        super().__init__(f"the name of a known {kind}", repr(name), where, nearest(name, known))


class UnknownAttributeError(HornbeamError, AttributeError):
    """An attribute that does not exist."""


class MissingDependencyError(HornbeamError, ImportError):
    """An optional package is needed and not installed.

    Args:
        package: The name to install.
        purpose: What needs it.
        extra: The extra of hornbeam that brings it, if there is one.
    """

    def __init__(self, package: str, purpose: str, extra: str = "") -> None:
        command = f"pip install 'hornbeam[{extra}]'" if extra else f"pip install {package}"
        super().__init__(f"the package {package!r}", "no such package", purpose, f"Install it: {command}")


class UnsafeFileError(ArgumentError):
    """A file asks for something that loading refuses, such as running code it carries."""


class FileFormatError(HornbeamError, OSError):
    """A file is truncated, damaged or not of the kind its name says."""


class UnsupportedError(HornbeamError, NotImplementedError):
    """The active backend, or this platform, cannot do what was asked."""


# Packages whose lines a warning passes over to find the user's.
_INNER = frozenset({"hornbeam", "jax", "torch", "tensorflow", "keras", "contextlib", "functools", "threading"})


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warns, pointing at the line of the user's program that led here, however deep in hornbeam that was noticed.

    Args:
        text: What happened and what to do about it.
        category: The kind of the warning, for filters.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("The cake is not done: wait.")
    >>> str(caught[0].message)
    'The cake is not done: wait.'
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def nearest(name: Any, known: Iterable[str], count: int = 3) -> str:
    """A sentence with the known names that look most like `name`.

    >>> nearest("adma", ["adam", "sgd"])
    "Did you mean 'adam'? Known: adam, sgd."
    """
    names = sorted({str(one) for one in known})
    by_folded = {one.lower(): one for one in names}
    close = difflib.get_close_matches(str(name).lower(), list(by_folded), n=count, cutoff=0.6)
    listed = ", ".join(names) if len(names) <= 40 else ", ".join(names[:40]) + ", ..."
    guess = "Did you mean " + " or ".join(repr(by_folded[one]) for one in close) + "? " if close else ""
    return f"{guess}Known: {listed}."


def describe(value: Any) -> str:
    """A short text for any value: shape and dtype for arrays, the type and a cut repr for the rest."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"{type(value).__name__} with shape={tuple(shape)}, dtype={getattr(value, 'dtype', '?')}"
    text = repr(value)
    if len(text) > 120:
        text = text[:117] + "..."
    return f"{text} of type {type(value).__name__}"
