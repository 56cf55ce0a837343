"""A user's program, for pyright alone: it must resolve the names that load on first touch. Nothing runs this file."""

# pyright: strict, reportAttributeAccessIssue=error, reportMissingImports=error
# What tensors are, only the backend knows.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import assert_type

import hornbeam as keras
from hornbeam.utils import PyDataset

layer: keras.Layer = keras.layers.Dense(3, activation="relu")
assert_type(keras.layers.Dense(3), keras.layers.Dense)
assert_type(keras.Variable(1.0), keras.Variable)
assert_type(keras.Sequential([keras.Input(shape=(4,)), layer]), keras.Sequential)
assert_type(keras.optimizers.Adam(learning_rate=1e-3), keras.optimizers.Adam)
assert_type(keras.losses.MeanSquaredError(), keras.losses.MeanSquaredError)
assert_type(keras.backend.backend(), str)
assert_type(keras.utils.set_random_seed(0), None)
assert_type(keras.__version__, str)
dataset: type[PyDataset] = keras.utils.PyDataset
functions = (keras.ops.matmul, keras.ops.one_hot, keras.ops.nn.relu, keras.ops.norm, keras.jit, keras.datasets.mnist)
