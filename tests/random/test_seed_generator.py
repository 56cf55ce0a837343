"""Seed generators: keys, counting, state, global seeds, bad seeds."""

import numpy as np
import pytest

from hornbeam import random, scope
from hornbeam.backend import active as backend
from hornbeam.random import SeedGenerator, draw_seed, set_global_seed
from hornbeam.saving import deserialize_keras_object, serialize_keras_object


def test_keys_count_up():
    generator = SeedGenerator(7)
    assert [np.asarray(generator.next()).tolist() for _ in range(3)] == [[7, 0], [7, 1], [7, 2]]
    assert np.asarray(generator.next(ordered=False)).tolist() == [7, 3]
    assert backend.dtype(generator.next()) == "uint32"
    assert (generator.state.dtype, generator.state.shape, generator.state.trainable) == ("uint32", (2,), False)


def test_keys_count_up_in_a_trace_and_change_nothing_outside():
    generator = SeedGenerator(7)
    with scope.Trace() as trace:
        assert [np.asarray(generator.next()).tolist() for _ in range(2)] == [[7, 0], [7, 1]]
    assert np.asarray(generator.next()).tolist() == [7, 0]
    ((variable, value),) = trace.updates()
    assert variable is generator.state
    assert np.asarray(value).tolist() == [7, 2]


@pytest.mark.parametrize("seed", ["a", 1.5, -1, 2**32, True, [1]])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match="an integer seed"):
        SeedGenerator(seed)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int32(3)])
def test_good_seeds(seed):
    assert np.asarray(SeedGenerator(seed).next()).tolist() == [int(seed), 0]


def test_unknown_arguments():
    with pytest.raises(ValueError, match="foo"):
        SeedGenerator(3, foo=1)


def test_config_and_wire_form():
    generator = SeedGenerator(7, name="mine")
    assert serialize_keras_object(generator) == {
        "module": "keras.random", "class_name": "SeedGenerator", "config": {"seed": 7, "name": "mine"},
        "registered_name": None,
    }  # fmt: skip
    assert SeedGenerator(name="any").get_config() == {"seed": None, "name": "any"}
    back = deserialize_keras_object(serialize_keras_object(generator))
    assert back.get_config() == generator.get_config()
    assert np.asarray(back.next()).tolist() == [7, 0]


def test_own_variables():
    generator, store = SeedGenerator(7), {}
    generator.next()
    generator.save_own_variables(store)
    assert list(store) == ["0"]
    other = SeedGenerator(1)
    other.load_own_variables(store)
    assert np.asarray(other.next()).tolist() == [7, 1]
    with pytest.raises(ValueError, match="state of the generator"):
        other.load_own_variables({})
    assert np.asarray(other.next()).tolist() == [7, 2]
    assert generator._children() == []


def test_global_seed_repeats_everything():
    runs = []
    for _ in range(2):
        set_global_seed(5)
        runs.append([SeedGenerator().seed, SeedGenerator().seed, np.asarray(random.normal((3,))).tolist()])
    assert runs[0] == runs[1]
    set_global_seed(6)
    assert SeedGenerator().seed != runs[0][0]
    assert np.asarray(random.normal((3,))).tolist() != runs[0][2]
    with pytest.raises(ValueError, match="set_global_seed"):
        set_global_seed("a")


def test_draw_seed():
    generator = SeedGenerator(9)
    assert np.asarray(draw_seed(3)).tolist() == [3, 0]
    assert np.asarray(draw_seed(generator)).tolist() == [9, 0]
    assert np.asarray(draw_seed(generator)).tolist() == [9, 1]
    assert np.asarray(draw_seed(None)).tolist() != np.asarray(draw_seed(None)).tolist()


@pytest.mark.parametrize("seed", ["a", 1.5, -1])
def test_draw_seed_refuses(seed):
    with pytest.raises(ValueError, match="integer"):
        random.normal((2,), seed=seed)
