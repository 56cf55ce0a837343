"""The programs in the seed documents: which blocks make one, what a reader brings to it, and where it runs.

The lines of the blocks are taken from the documents when the tests run, and never changed. A block is often a fragment
that speaks of "a model" or "a dataset"; `before` has what the reader is to bring, and the programs' data are few.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

TRAINING = ("jax", "torch", "tensorflow")
EVERYWHERE = (*TRAINING, "numpy")
TENSORFLOW = ("tensorflow",)


class Program(NamedTuple):
    """One program out of a document.

    Attributes:
        blocks: The numbers of its blocks.
        backends: Those for which it is written.
        before: Lines of our own that run ahead of the blocks.
        after: Lines of our own that look at what came of them.
        raises: A pattern, where the program as printed is wrong, of the error that has to say so.
    """

    blocks: tuple[int, ...]
    backends: tuple[str, ...]
    before: str = ""
    after: str = ""
    raises: str = ""


IMPORTS = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
"""

WITH_TENSORFLOW = f"import tensorflow as tf{IMPORTS}"

MODEL_AND_DATASET = f"""{WITH_TENSORFLOW}
rng = np.random.default_rng(0)
def pairs(count):
    x = rng.normal(size=(count, 32)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[:, :1] - x[:, 1:2])).batch(16)
dataset = pairs(64)
model = keras.Sequential([keras.Input((32,)), layers.Dense(1)])
model.compile("sgd", "mse")
"""

# The digits as they are, of which a loop gets the first few: the programs ask for an array of 60,000 by name.
FEW_DIGITS = f"""{WITH_TENSORFLOW}
keras.utils.set_random_seed(0)
whole = tf.data.Dataset.from_tensor_slices
tf.data.Dataset.from_tensor_slices = lambda tensors: whole(tensors).take(64 * 5)
"""

# Where a document prints `...` it leaves something to the reader: compile and fit get it filled in.
FILLED = """
def filled(method, **missing):
    def call(self, *given, **arguments):
        given = [one for one in given if one is not ...]
        for name, value in missing.items():
            if name not in arguments and not given or arguments.get(name) in (..., [...]):
                arguments[name] = value
        return method(self, *given, **arguments)
    return call
"""

LINEAR = (12,)

# name: the beginning of the document's file name, and its programs
PROGRAMS: dict[str, dict[str, Program]] = {
    "001": {
        "a projection": Program(
            (0,), EVERYWHERE, IMPORTS, "assert dense(np.ones((2, 3), 'float32')).shape == (2, 16)"
        ),
        "images of any size": Program((1,), EVERYWHERE, IMPORTS, "assert inputs.shape == (None, None, None, 3)"),
        # as printed it gives the tensor to the constructor of a layer: `GlobalAveragePooling2D(x)`
        "crop, scale, convolve": Program(
            (1, 2), EVERYWHERE, f"{IMPORTS}from tensorflow.keras.layers import CenterCrop, Rescaling",
            raises=r"GlobalAveragePooling2D: expected settings .* A layer is made first, and then called",
        ),
        "a model of a graph": Program(
            (3,), EVERYWHERE,
            f"{IMPORTS}inputs = keras.Input(shape=(None, None, 3))\n"
            "x = layers.Rescaling(scale=1.0 / 255)(layers.CenterCrop(height=150, width=150)(inputs))\n"
            "x = layers.MaxPooling2D(3)(layers.Conv2D(4, 3, activation='relu')(x))\n"
            "outputs = layers.Dense(10, activation='softmax')(layers.GlobalAveragePooling2D()(x))\n",
            "assert processed_data.shape == (64, 10)",
        ),
    },
    "003": {
        "normalization": Program(
            (0,), EVERYWHERE, IMPORTS,
            "found = keras.ops.convert_to_numpy(normalized_data)\n"
            "assert abs(found.mean()) < 1e-3 and abs(found.std() - 1) < 1e-3",
        ),
        "images of any size": Program((1,), EVERYWHERE, IMPORTS, "assert inputs.shape == (None, None, None, 3)"),
        "checkpoints": Program(
            (2,), TRAINING, MODEL_AND_DATASET,
            "import pathlib\n"
            "assert sorted(one.name for one in pathlib.Path('path/to/my').iterdir()) == "
            "['model_1.keras', 'model_2.keras']\n"
            "again = keras.models.load_model('path/to/my/model_2.keras')\n"
            "np.testing.assert_allclose(again.predict(dataset), model.predict(dataset), rtol=1e-5)",
        ),
        "tensorboard": Program(
            (3,), TRAINING, MODEL_AND_DATASET,
            "import pathlib\nassert list(pathlib.Path('logs/train').glob('events.*'))",
        ),
        "train_step with a tape": Program(
            (5,), TENSORFLOW,
            MODEL_AND_DATASET + FILLED + """
import types
history = keras.callbacks.History()
class Filled(keras.Model):
    compile = filled(keras.Model.compile, metrics=["mae"])
    fit = filled(keras.Model.fit, callbacks=[history])
keras = types.SimpleNamespace(Model=Filled, Input=keras.Input, layers=layers)
""",
            "losses = history.history['loss']\n"
            "assert len(losses) == 3 and losses[-1] < losses[0] and {'mae', 'loss'} <= set(history.history)",
        ),
        "mirrored strategy": Program(
            (6,), TENSORFLOW,
            MODEL_AND_DATASET + FILLED + """
def get_dataset():
    return pairs(64), pairs(32), pairs(32)
class Model(keras.Model):
    def __init__(self, _):
        super().__init__()
        self.dense = layers.Dense(1)
    def call(self, inputs):
        return self.dense(inputs)
    compile = filled(keras.Model.compile, optimizer="adam", loss="mse")
""",
            "assert np.isfinite(model.evaluate(test_dataset)) and len(model.history.history['val_loss']) == 2",
        ),
        "text in the pipeline": Program(
            (7,), TRAINING, f"{WITH_TENSORFLOW}from tensorflow.keras.layers import TextVectorization",
            "assert model.predict(dataset).shape == (2, 5, 1) and vectorizer.vocabulary_size() == 10",
        ),
        "a variable": Program((8,), EVERYWHERE, WITH_TENSORFLOW, "assert a.shape == (2, 2)"),
        "tapes": Program(
            (9, 10, 11), EVERYWHERE, f"{WITH_TENSORFLOW}tf.random.set_seed(0)",
            "np.testing.assert_allclose(dc_da, a / c, rtol=1e-5)\n"
            "np.testing.assert_allclose(d2c_da2, b**2 / c**3, rtol=1e-3, atol=1e-4)",
        ),
        "a lazy layer": Program(
            (*LINEAR,), TENSORFLOW, WITH_TENSORFLOW,
            "assert y.shape == (2, 4) and [one.shape for one in linear_layer.weights] == [(2, 4), (4,)]",
        ),
        "a loop with a tape": Program(
            (*LINEAR, 13), TENSORFLOW, FEW_DIGITS,
            "assert step == 4 and float(loss) < 2.6 and optimizer.iterations == 5",
        ),
        "a layer with a tf.Variable": Program(
            (14,), TENSORFLOW, WITH_TENSORFLOW,
            "total = ComputeSum(2)\ntotal(tf.ones((2, 2)))\n"
            "assert total(tf.ones((2, 2))).numpy().tolist() == [4, 4]\n"
            "assert len(total.weights) == len(total.non_trainable_weights) == 1 and not total.trainable_weights",
        ),
        "layers in layers": Program((*LINEAR, 15), TENSORFLOW, WITH_TENSORFLOW, "assert y.shape == (3, 10)"),
        "a loop with added losses": Program(
            (*LINEAR, 16, 17, 18), TENSORFLOW, FEW_DIGITS,
            "assert len(mlp.losses) == 1 and step == 4 and np.isfinite(float(loss))",
        ),
        "a metric in a loop": Program(
            (*LINEAR, 13, 19), TENSORFLOW, FEW_DIGITS,
            "assert optimizer.iterations == 10 and float(accuracy.result()) == 0",
        ),
        "a compiled step": Program(
            (20,), TENSORFLOW, FEW_DIGITS, "assert optimizer.iterations == 5 and np.isfinite(float(loss))"
        ),
        "training and inference": Program(
            (*LINEAR, 21), TENSORFLOW, WITH_TENSORFLOW, "assert y_train.shape == y_test.shape == (2, 10)"
        ),
    },
}  # fmt: skip

# What the documents have beside these, with the reason why no program takes it: a block by its number, or its subject.
LEFT_OUT: dict[tuple[str, int | str], str] = {
    ("003", 4): "a command of a shell that opens a page; what it reads is held in tests/callbacks/test_tensorboard.py",
    ("000", "hyperparameter tuning"): "keras_tuner is another package; a tuner of our own is planned",
    ("004", "export to browsers and phones"): "export is planned; there is no program in the document",
}

# Documents that say in words what a program does: ours, by the beginning of their names in `prose/`.
PROSE = Path(__file__).with_name("prose")


def blocks_of(document: Path) -> list[str]:
    """The blocks of a document that are fenced as code, in order; results that it prints are not among them."""
    return re.findall(r"^```(?:python)?[ ]*\n(.*?)^```[ ]*$", document.read_text(), re.DOTALL | re.MULTILINE)


def document(shared: Path, number: str) -> Path:
    """The file of a document."""
    return next((shared / "seeds").glob(f"{number}_*.txt"))


def text_of(program: Program, blocks: list[str]) -> str:
    """A program as one text."""
    return "\n".join([program.before, *(blocks[one] for one in program.blocks), program.after])
