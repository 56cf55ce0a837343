"""`import keras` and `tf.keras` mean hornbeam, in all forms programs use, each in a fresh process."""

import importlib.util
import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.backend_free

NEEDS_TENSORFLOW = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="shows what happens where TensorFlow is installed"
)
# Hides an installed TensorFlow from a fresh process.
HIDE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
import importlib.machinery
class Nothing(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras"):
            return None
        return importlib.machinery.PathFinder.find_spec(name, path, target)
sys.meta_path[:] = [f for f in sys.meta_path if f is not importlib.machinery.PathFinder and not isinstance(f, Hide)]
sys.meta_path.append(Nothing)
"""
INSTALL = "import hornbeam\nfrom hornbeam.install import install_as_keras\ninstall_as_keras()\n"


def run(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HORNBEAM_BACKEND": "numpy", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FORMS = [
    "import keras; found = keras",
    "import keras as k; found = k",
    "import keras.utils; found = keras",
    "from keras import utils; found = hornbeam if utils is hornbeam.utils else None",
    "from keras.utils import to_categorical as t; found = hornbeam if t is hornbeam.utils.to_categorical else None",
    "import keras.utils as u; found = hornbeam if u is hornbeam.utils else None",
    "import importlib; found = importlib.import_module('keras')",
    "from keras.datasets import mnist; found = hornbeam if mnist is hornbeam.datasets.mnist else None",
    "import keras.datasets.mnist as m; found = hornbeam if m is hornbeam.datasets.mnist else None",
]
TENSORFLOW_FORMS = [
    "from tensorflow import keras; found = keras",
    "import tensorflow.keras as k; found = k",
    "import tensorflow as tf; found = tf.keras",
    "import tensorflow.keras.utils; import sys; found = sys.modules['tensorflow'].keras",
    "from tensorflow.keras import utils as u; found = hornbeam if u is hornbeam.utils else None",
    "from tensorflow.keras.utils import normalize as n; found = hornbeam if n is hornbeam.utils.normalize else None",
]
# what `keras` is: hornbeam, or the face of it that has Keras's version
CHECK = (
    "\nassert found is hornbeam or found is hornbeam.install._face, found"
    "\nassert found.layers is hornbeam.layers"
    "\nassert hornbeam.__spec__.name == hornbeam.__name__ == 'hornbeam'"
)


@pytest.mark.parametrize("form", FORMS + TENSORFLOW_FORMS)
def test_forms_without_tensorflow(form):
    run(HIDE + INSTALL + form + CHECK)


@NEEDS_TENSORFLOW
def test_forms_with_tensorflow():
    program = INSTALL + "".join(f"{form}{CHECK}\n" for form in TENSORFLOW_FORMS)
    run(program + "import tensorflow as tf\nassert tf.constant(1).shape == ()\nassert 'site-packages' in tf.__file__")


@NEEDS_TENSORFLOW
def test_the_keras_of_tensorflow_s_compat_name():
    run(
        INSTALL + "import tensorflow.compat.v2 as tf2\n"
        "assert tf2.keras.utils.to_categorical is hornbeam.utils.to_categorical"
    )


def test_tensorflow_that_is_loaded_gets_the_new_keras():
    run(
        "import sys, types\nsys.modules['tensorflow'] = tf = types.ModuleType('tensorflow')\ntf.keras = None\n"
        + INSTALL
        + "assert tf.keras.layers is hornbeam.layers\nimport tensorflow\nassert tensorflow is tf"
    )


def test_one_module_under_two_names():
    run(
        INSTALL
        + """
import sys, keras.utils.files
assert sys.modules["keras.utils"] is sys.modules["hornbeam.utils"] is hornbeam.utils
assert keras.utils.files.__spec__.name == "hornbeam.utils.files"
assert keras.utils.files.get_file is hornbeam.utils.get_file
import importlib, pickle
assert pickle.loads(pickle.dumps(keras.utils.get_file)) is hornbeam.utils.get_file
"""
    )


def test_versions_are_told_apart():
    out = run(
        INSTALL
        + """
import sys, keras, importlib
import keras.utils
from tensorflow import keras as of_tensorflow
print(keras.__version__, keras.version(), of_tensorflow.__version__, hornbeam.keras_version)
print(hornbeam.__version__, hornbeam.version(), hornbeam.config.version())
assert importlib.import_module("keras").__version__ == sys.modules["keras"].__version__
"""
    )
    keras, own = out.splitlines()
    assert set(keras.split()) == {"3.15.1"}
    assert set(own.split()) == {__import__("hornbeam").__version__}


def test_what_a_program_sets_in_keras_is_set_in_hornbeam():
    run(
        INSTALL
        + """
import keras
keras.note = 1
assert hornbeam.note == 1
del hornbeam.note
assert not hasattr(keras, "note")
hornbeam.note = 2
del keras.note
assert not hasattr(hornbeam, "note")
assert dir(keras) == dir(hornbeam) and "layers" in dir(keras)
assert keras.__path__ is hornbeam.__path__ and keras.__spec__ is hornbeam.__spec__
assert keras.Model is hornbeam.Model
"""
    )


def test_installing_twice_is_installing_once():
    run(INSTALL + INSTALL + "import sys\nassert sum('_Finder' in repr(f) for f in sys.meta_path) == 1")


def test_the_backend_can_be_chosen_after_installing():
    out = run(
        """
        import os
        from hornbeam.install import install_as_keras
        install_as_keras()
        del os.environ["HORNBEAM_BACKEND"]
        os.environ["KERAS_BACKEND"] = "numpy"
        import keras, sys
        assert not any(name.startswith("hornbeam.backend") for name in sys.modules)
        from hornbeam.backend import active
        print(active.name)
        """,
        KERAS_BACKEND="jax",
    )
    assert out.strip() == "numpy"


@pytest.mark.parametrize(
    ("statement", "error", "text"),
    [
        ("import keras.src.layers", "ModuleNotFoundError", "public name"),
        ("from keras.src import backend", "ModuleNotFoundError", "private to Keras"),
        ("import keras._config", "ModuleNotFoundError", "private"),
        ("import keras.nonsense", "ModuleNotFoundError", "'keras.nonsense'"),
        ("import keras.utils.os", "ModuleNotFoundError", "'keras.utils.os'"),
        ("from keras.utils import to_categoricl", "ImportError", ""),
        ("import tensorflow as tf; tf.data.Dataset", "ImportError", "hornbeam[tensorflow]"),
        ("import tensorflow.data", "ImportError", "tensorflow.data"),
        ("from tensorflow import constant", "ImportError", "tensorflow.constant"),
    ],
)
def test_what_is_not_there_says_so(statement, error, text):
    out = run(
        f"{HIDE}{INSTALL}\ntry:\n    {statement}\nexcept {error} as problem:\n"
        "    print(type(problem).__name__, problem)\nelse:\n    raise SystemExit('no error')"
    )
    assert text in out


def test_libraries_still_hear_that_tensorflow_is_not_there(tmp_path):
    library = tmp_path / "lib"
    library.mkdir()
    (library / "prober.py").write_text("try:\n    import tensorflow\nexcept ImportError:\n    tensorflow = None\n")
    run(
        HIDE
        + f"import sysconfig, sys; sys.path.append({str(library)!r})\n"
        + "get = sysconfig.get_path\n"
        + f"sysconfig.get_path = lambda kind: {str(library)!r} if kind == 'purelib' else get(kind)\n"
        + INSTALL
        + "import prober; assert prober.tensorflow is None\n"
        + "from tensorflow import keras; assert keras.layers is hornbeam.layers"
    )


def test_another_keras_that_is_loaded_is_not_replaced():
    out = run(
        """
        import sys, types
        sys.modules["keras"] = other = types.ModuleType("keras")
        from hornbeam.install import install_as_keras
        try:
            install_as_keras()
        except RuntimeError as problem:
            print(problem)
        assert sys.modules["keras"] is other and not any("_Finder" in repr(f) for f in sys.meta_path[:1])
        """
    )
    assert "hornbeam run" in out
