"""Random bits on TensorFlow: of Threefry-2x32 over integer ops, equal on all backends, and of its own Philox."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.backend import threefry
from hornbeam.backend.tensorflow.framework import tf


def bits(key: Any, shape: Sequence[int]) -> Any:
    """uint32 random bits under `key`, a uint32 tensor [2]."""
    shape = tuple(shape)
    if not isinstance(key, tf.__internal__.SymbolicTensor) and tf.executing_eagerly():
        return tf.convert_to_tensor(threefry.bits(np.asarray(key), shape))
    return _compiled()(key, shape)


def fast_bits(key: Any, shape: Sequence[int]) -> Any:
    """uint32 random bits under `key`, of Philox-4x32, for which TensorFlow has a kernel on every device."""
    seed = tf.bitcast(key, tf.int32)
    return tf.random.stateless_uniform(tuple(shape), seed, None, None, tf.uint32, alg="philox")


@functools.cache
def _compiled() -> Any:
    # a hundred small ops on integers: as one kernel they take a tenth of the time
    return tf.function(_bits, jit_compile=True, autograph=False)


def _bits(key: Any, shape: tuple[int, ...]) -> Any:
    count = math.prod(shape)
    counter = tf.range(count, dtype=tf.int64)
    low = tf.cast(tf.bitwise.bitwise_and(counter, 0xFFFFFFFF), tf.uint32)
    high = tf.cast(tf.bitwise.right_shift(counter, 32), tf.uint32)
    both = tf.bitwise.bitwise_xor(key[0], key[1])
    schedule = (key[0], key[1], tf.bitwise.bitwise_xor(both, tf.constant(0x1BD11BDA, tf.uint32)))
    first, second = high + schedule[0], low + schedule[1]
    for block in range(5):
        for rotation in threefry.ROTATIONS[block % 2]:
            first = first + second
            second = tf.bitwise.bitwise_or(
                tf.bitwise.left_shift(second, tf.constant(rotation, tf.uint32)),
                tf.bitwise.right_shift(second, tf.constant(32 - rotation, tf.uint32)),
            )
            second = tf.bitwise.bitwise_xor(second, first)
        first = first + schedule[(block + 1) % 3]
        second = second + schedule[(block + 2) % 3] + tf.constant(block + 1, tf.uint32)
    return tf.reshape(tf.bitwise.bitwise_xor(first, second), shape)
