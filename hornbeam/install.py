"""Makes `import keras` mean hornbeam, in this process only; changes nothing on disk and imports no backend.

A finder before all others answers for the names `keras` and `tensorflow.keras`, with hornbeam's own modules: one
module under two names, never a second copy. Only of the top there is a second face, since programs ask
`keras.__version__` which Keras they run on, and hornbeam's own version is no answer to that.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import hornbeam
from hornbeam.errors import HornbeamError, MissingDependencyError, StateError

# All names under which programs, and TensorFlow for `tf.keras`, look for Keras; longest first.
_ROOTS = (
    "keras.api._v2.keras",
    "keras.api._v1.keras",
    "keras._tf_keras.keras",
    "keras.api",
    "tensorflow.keras",
    "keras",
)
# Steps on the way to a root, which the import system asks for one by one.
_STEPS = ("keras._tf_keras", "keras.api._v1", "keras.api._v2")


class PrivateNameError(HornbeamError, ModuleNotFoundError):
    """A program imports a part of Keras that is not public, and which hornbeam therefore does not have."""


def install_as_keras() -> None:
    """Makes `keras` and `tf.keras` mean hornbeam for the rest of this process.

    After it, `import keras`, `from keras.layers import Dense`, `from tensorflow import keras` and `tf.keras`
    give hornbeam's modules. Where TensorFlow is not installed, `tensorflow.keras` can still be imported; any
    other part of `tensorflow` raises an error that says what to install. The backend is chosen when it is first
    needed, so a program may still set `KERAS_BACKEND`. A second call does nothing.

    `keras` is hornbeam in all but its version: `keras.__version__` and `keras.version()` give that of the Keras
    whose interface it is, `hornbeam.keras_version`; `hornbeam.__version__` stays hornbeam's own.

    Raises:
        RuntimeError: If another `keras` was imported before.

    >>> install_as_keras()
    >>> from keras.utils import to_categorical
    >>> to_categorical.__module__
    'hornbeam.utils.numerical'
    >>> import keras
    >>> keras.__version__ == hornbeam.keras_version != hornbeam.__version__
    True
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    loaded = sys.modules.get("keras")
    if loaded is not None and loaded is not hornbeam and loaded is not _face:
        raise StateError(
            "no other `keras` in this process",
            f"the one at {getattr(loaded, '__file__', '?')}",
            "install_as_keras",
            "Call it at the top of the program, before `import tensorflow` too, which loads Keras; "
            "or start the program with `python -m hornbeam run`.",
        )
    sys.meta_path.insert(0, _Finder())
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        _give_keras(tensorflow)


def _give_keras(tensorflow: ModuleType) -> None:
    # Set in the module's dict, where it comes before TensorFlow's own lazy attribute of that name.
    vars(tensorflow)["keras"] = _face


class _Face(ModuleType):
    """`keras` as programs see it: hornbeam, read and written through, except for the version."""

    def __init__(self) -> None:
        super().__init__("keras", hornbeam.__doc__)
        own = vars(self)
        for name in ("__name__", "__spec__", "__loader__", "__package__"):
            del own[name]  # what the import system asks of it, hornbeam answers
        own["__version__"] = hornbeam.keras_version
        own["version"] = lambda: hornbeam.keras_version

    def __getattr__(self, name: str) -> Any:
        return getattr(hornbeam, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(hornbeam, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(hornbeam, name)

    def __dir__(self) -> list[str]:
        return dir(hornbeam)


_face = _Face()


class _Finder(MetaPathFinder):
    """Answers for `keras`, `tensorflow.keras` and, to hook into it, `tensorflow`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        ours = _translated(fullname)
        if ours is not None:
            return ModuleSpec(fullname, _Alias(ours), origin="hornbeam")
        if fullname == "tensorflow":
            return self._tensorflow()
        if fullname.startswith("tensorflow.") and isinstance(sys.modules.get("tensorflow"), _NoTensorFlow):
            raise MissingDependencyError("tensorflow-cpu", fullname, "tensorflow")
        return None

    def _tensorflow(self) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec("tensorflow", None)
            if spec is not None and spec.loader is not None:
                # The loader stays what it is, for those who ask it for files; only this one method does more.
                run = spec.loader.exec_module

                def run_and_give(module: ModuleType) -> None:
                    run(module)
                    _give_keras(module)

                spec.loader.exec_module = run_and_give  # type: ignore[method-assign]
                return spec
        # Libraries that try whether TensorFlow is there must hear the truth. Programs may mean its Keras.
        if _asked_by_library():
            return None
        return ModuleSpec("tensorflow", _Alias(""), origin="hornbeam", is_package=True)


def _translated(fullname: str) -> str | None:
    """The name under which hornbeam has what `fullname` asks for; None for what is not Keras's."""
    if fullname in _STEPS:
        return "hornbeam"
    for root in _ROOTS:
        if fullname == root or fullname.startswith(root + "."):
            return "hornbeam" + fullname[len(root) :]
    return None


def _asked_by_library() -> bool:
    """Whether the import under way was written in an installed package, in the standard library or in hornbeam."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not (file.startswith("<frozen importlib") or file == __file__ or Path(file).parent.name == "importlib"):
            places = {sysconfig.get_path(kind) for kind in ("purelib", "platlib", "stdlib")} | {_HOME}
            return any(place and Path(file).is_relative_to(place) for place in places)
        frame = frame.f_back
    return False


_HOME = str(Path(__file__).parent)


class _Alias(Loader):
    """Puts a module that exists under one more name into `sys.modules`."""

    def __init__(self, ours: str) -> None:
        self.ours = ours

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None if self.ours else _NoTensorFlow(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if self.ours:
            # The import system takes what stands here now, and so leaves the module's own __spec__ alone.
            sys.modules[module.__name__] = _module(self.ours, module.__name__)
        else:
            _give_keras(module)


def _module(ours: str, asked: str) -> ModuleType:
    if ours == hornbeam.__name__:
        return _face
    module: ModuleType = hornbeam
    for part in ours.split(".")[1:]:
        if part == "src" or part.startswith("_"):
            raise PrivateNameError(
                "a public module of Keras",
                f"import {asked}",
                "hornbeam in place of keras",
                f"`{part}` is private to Keras and hornbeam has no copy of it: use the public name, "
                "such as keras.layers.Dense for keras.src.layers.core.dense.Dense.",
            )
        found = getattr(module, part, None)
        if not isinstance(found, ModuleType) or not found.__name__.startswith("hornbeam"):
            name = f"{module.__name__}.{part}"
            try:
                found = importlib.import_module(name)
            except ModuleNotFoundError as missing:
                if missing.name != name:
                    raise
                raise ModuleNotFoundError(f"hornbeam has no module {asked!r}", name=asked) from None
        module = found
    return module


class _NoTensorFlow(ModuleType):
    """Stands for TensorFlow where it is not installed: has `keras`, and says so for all else."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by inspect, pickle and others about every module
            raise AttributeError(f"TensorFlow is not installed; this stand-in has no {name!r}")
        raise MissingDependencyError("tensorflow-cpu", f"tensorflow.{name}", "tensorflow")
