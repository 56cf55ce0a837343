"""The distributions: moments, bounds, dtypes, seeds, equality with recorded numbers of the other backend, bad input."""

import math

import numpy as np
import pytest

from hornbeam import _config, config, layers, random
from hornbeam.backend import active as backend
from hornbeam.backend.base import Backend
from hornbeam.random import SeedGenerator
from hornbeam.random.sampling import bits, integers_below, inverse_erf, mask
from hornbeam.scope import Trace
from hornbeam.symbolic import KerasTensor
from tests.needs import needs_gradients

COUNT = 40_000
# with the bits of Threefry, and with the fastest ones where the backend has others
CHOICES = [True, False] if type(backend).fast_bits is not Backend.fast_bits else [True]


@pytest.fixture(autouse=True, params=[True])
def equal(request):
    """Numbers are equal on all backends here, unless a test is for the fastest generator as well."""
    config.set_reproducible_random(request.param)
    yield request.param
    config.set_reproducible_random(None)


either = pytest.mark.parametrize("equal", CHOICES, indirect=True, ids=lambda one: "equal" if one else "fast")


def values(tensor):
    return np.asarray(backend.to_numpy(tensor)).astype("float64")


# name, call, mean, variance
TABLE = [
    ("normal", lambda shape, **k: random.normal(shape, **k), 0.0, 1.0),
    ("normal", lambda shape, **k: random.normal(shape, 3.0, 0.5, **k), 3.0, 0.25),
    ("truncated_normal", lambda shape, **k: random.truncated_normal(shape, 1.0, 2.0, **k), 1.0, 4 * 0.773741),
    ("uniform", lambda shape, **k: random.uniform(shape, **k), 0.5, 1 / 12),
    ("uniform", lambda shape, **k: random.uniform(shape, -1.0, 3.0, **k), 1.0, 16 / 12),
    ("gamma", lambda shape, **k: random.gamma(shape, 2.5, **k), 2.5, 2.5),
    ("gamma", lambda shape, **k: random.gamma(shape, 0.3, **k), 0.3, 0.3),
    ("beta", lambda shape, **k: random.beta(shape, 2.0, 3.0, **k), 0.4, 0.04),
    ("beta", lambda shape, **k: random.beta(shape, 0.2, 0.1, **k), 2 / 3, 0.02 / (0.09 * 1.3)),
    ("binomial", lambda shape, **k: random.binomial(shape, 7, 0.3, **k), 2.1, 1.47),
    ("binomial", lambda shape, **k: random.binomial(shape, 1000, 0.25, **k), 250.0, 187.5),
]
NAMES = [f"{row[0]}-{index}" for index, row in enumerate(TABLE)]


@pytest.mark.parametrize(("name", "call", "mean", "variance"), TABLE, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@either
def test_moments_and_dtypes(equal, name, call, mean, variance, dtype):
    if name in ("gamma", "beta", "binomial") and dtype == "bfloat16" and mean != 2.5:
        pytest.skip("the conversion is the same for all of them")
    tensor = call((COUNT,), dtype=dtype, seed=3)
    assert backend.dtype(tensor) == dtype
    sample = values(tensor)
    rounding = 0.006 * (abs(mean) + math.sqrt(variance)) if dtype == "bfloat16" else 1e-3
    assert abs(sample.mean() - mean) < 5 * math.sqrt(variance / COUNT) + rounding
    assert abs(sample.var() / variance - 1) < 0.05


@pytest.mark.parametrize(("name", "call", "mean", "variance"), TABLE, ids=NAMES)
@either
def test_seeds(equal, name, call, mean, variance):
    generator = SeedGenerator(4)
    first, second = values(call((COUNT,), seed=generator)), values(call((COUNT,), seed=generator))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, values(call((COUNT,), seed=4)))
    assert np.array_equal(values(call((COUNT,), seed=4)), values(call((COUNT,), seed=4)))
    assert not np.array_equal(values(call((COUNT,), seed=5)), first)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_uniform_never_reaches_its_upper_bound(dtype):
    for low, high in ((0.0, 1.0), (-1.0, 3.0), (1.0, 1.001), (3.0, -3.0)):
        sample = values(random.uniform((COUNT,), low, high, dtype=dtype, seed=1))
        bounds = [float(np.float32(one)) if dtype != "float64" else one for one in (low, high)]
        if dtype in ("float32", "float64"):
            assert sample.min() >= min(bounds) - 1e-12
        assert not (sample == high).any() or low > high or dtype in ("float16", "bfloat16")
    assert values(random.uniform((200_000,), dtype=dtype, seed=1)).max() < 1.0


def test_truncation():
    sample = values(random.truncated_normal((200_000,), seed=1))
    assert np.abs(sample).max() <= 2.0
    assert np.abs(sample).max() > 1.999


def test_quantiles_of_normal():
    sample = np.sort(values(random.normal((200_000,), seed=1)))
    for z in (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0):
        share = 0.5 * (1 + math.erf(z / math.sqrt(2)))
        assert abs((sample < z).mean() - share) < 5 * math.sqrt(share * (1 - share) / 200_000)


def test_inverse_erf():
    x = np.linspace(-0.9999999, 0.9999999, 20_001).astype("float32")
    back = np.array([math.erf(one) for one in values(inverse_erf(backend.asarray(x)))])
    assert np.abs(back - x).max() < 3e-7


def test_tensor_parameters():
    means = np.array([0.0, 100.0, -100.0], "float32")
    sample = values(random.normal((1000, 3), mean=means, stddev=np.ones((1000, 1), "float32"), seed=1))
    assert np.abs(sample.mean(axis=0) - means).max() < 0.2
    sample = values(random.uniform((1000, 3), minval=means, maxval=means + 1, seed=1))
    assert ((sample >= means) & (sample < means + 1)).all()
    sample = values(random.gamma((20_000, 3), alpha=[0.5, 1.0, 20.0], seed=1))
    assert np.abs(sample.mean(axis=0) / [0.5, 1.0, 20.0] - 1).max() < 0.05


def test_invalid_parameters_give_nan():
    assert np.isnan(values(random.gamma((3,), [-1.0, -2.0, np.nan], seed=1))).all()
    assert values(random.gamma((3,), 0.0, seed=1)).tolist() == [0, 0, 0]
    assert np.isnan(values(random.binomial((3,), [10.0, 10.0, -1.0], [-0.1, 1.1, 0.5], seed=1))).all()
    assert values(random.binomial((3,), [10.0, 1000.0, 0.0], [0.0, 1.0, 0.5], seed=1)).tolist() == [0, 1000, 0]


# --- integers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int8", "uint32"])
@either
def test_randint(equal, dtype):
    sample = np.asarray(random.randint((COUNT,), 3, 9, dtype=dtype, seed=1))
    assert backend.dtype(random.randint((2,), 3, 9, dtype=dtype, seed=1)) == backend.narrowed.get(dtype, dtype)
    counts = np.bincount(sample)
    assert counts[:3].sum() == 0
    assert np.abs(counts[3:] - COUNT / 6).max() < 5 * math.sqrt(COUNT / 6)
    assert len(counts) == 9


def test_randint_over_large_ranges():
    sample = np.asarray(random.randint((COUNT,), -(2**31), 2**31 - 1, seed=1)).astype("float64")
    assert abs(sample.mean()) < 5 * 2**32 / math.sqrt(12 * COUNT)
    assert sample.min() < -2.1e9 < 2.1e9 < sample.max()
    sample = np.asarray(random.randint((COUNT,), 0, 2**32 - 1, dtype="uint32", seed=1)).astype("float64")
    assert sample.max() > 4.29e9


def test_products_of_words():
    key = backend.asarray(np.array([1, 2], "uint32"), "uint32")
    words = np.asarray(bits(key, (2, 500))).astype(object)
    for span in (1, 7, 65537, 2**31 + 11, 2**32 - 1):
        got = np.asarray(integers_below(np.uint32(span), key, (500,), 2)).astype(object)
        assert (got == ((words[0] * 2**32 + words[1]) * span) >> 64).all()


def test_randint_with_tensors():
    low = np.arange(5)
    sample = np.asarray(random.randint((200, 5), low, low + 2, seed=1))
    assert ((sample == low) | (sample == low + 1)).all()
    assert {tuple(row) for row in sample}.__len__() > 8


@pytest.mark.parametrize(("low", "high"), [(3, 3), (3, 0), (0, 2**32)])
def test_randint_refuses_ranges(low, high):
    with pytest.raises(ValueError, match="maxval above minval"):
        random.randint((2,), low, high)


# --- functions of tensors ------------------------------------------------------------------------------------------


def test_categorical():
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], "float32"))
    drawn = random.categorical(logits, COUNT, seed=1)
    assert backend.shape(drawn) == (2, COUNT)
    assert backend.dtype(drawn) == "int32"
    for row, logit in zip(np.asarray(drawn), logits, strict=True):
        share = np.exp(logit)
        assert (np.abs(np.bincount(row) / COUNT - share) < 5 * np.sqrt(share * (1 - share) / COUNT)).all()
    assert backend.dtype(random.categorical(logits, 2, dtype="uint8")) == "uint8"


@pytest.mark.parametrize("shape", [(3,), (2, 2, 3)])
def test_categorical_wants_a_matrix(shape):
    with pytest.raises(ValueError, match="logits of shape"):
        random.categorical(np.zeros(shape, "float32"), 2)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@either
def test_dropout(equal, dtype):
    x = backend.asarray(np.arange(1, 10_001).reshape(100, 100) % 7 + 1, dtype)
    dropped = random.dropout(x, 0.3, seed=1)
    assert backend.dtype(dropped) == dtype
    kept = values(dropped) != 0
    assert abs(kept.mean() - 0.7) < 5 * math.sqrt(0.21 / 10_000)
    np.testing.assert_allclose(values(dropped)[kept], values(x)[kept] / 0.7, rtol=1e-2 if dtype != "float32" else 1e-6)


def test_dropout_at_the_ends():
    x = np.ones((3, 4), "float32")
    assert values(random.dropout(x, 0, seed=1)).tolist() == np.asarray(x).tolist()
    assert values(random.dropout(x, 1.0, seed=1)).tolist() == np.asarray(0 * x).tolist()
    generator = SeedGenerator(1)
    random.dropout(x, 0.0, seed=generator)
    assert np.asarray(generator.next()).tolist() == [1, 1]
    assert backend.dtype(random.dropout(np.ones(3, "int32"), 0.5, seed=1)) == "float32"


@pytest.mark.parametrize(
    ("noise_shape", "axis"), [((None, 1), 1), ((1, 4), 0), ((4,), 0), ((3, 1), 1), ((None, None), None)]
)
def test_noise_shape(noise_shape, axis):
    dropped = values(random.dropout(np.ones((3, 4), "float32"), 0.5, noise_shape=noise_shape, seed=2))
    assert dropped.shape == (3, 4)
    if axis is not None:
        assert (dropped == dropped.take([0], axis=axis)).all()


@pytest.mark.parametrize("noise_shape", [(3, 2), (5,), (1, 3, 4), (2, 3, 4)])
def test_wrong_noise_shape(noise_shape):
    with pytest.raises(ValueError, match="noise_shape"):
        random.dropout(np.ones((3, 4), "float32"), 0.5, noise_shape=noise_shape)


@pytest.mark.parametrize(
    ("rate", "error"), [(-0.1, ValueError), (1.5, ValueError), ("a", TypeError), (None, TypeError)]
)
def test_wrong_rate(rate, error):
    with pytest.raises(error, match="rate"):
        random.dropout(np.ones(3, "float32"), rate)


def test_shuffle():
    x = np.arange(24).reshape(4, 6)
    for axis in (0, 1, -1):
        shuffled = np.asarray(random.shuffle(x, axis=axis, seed=2))
        assert not np.array_equal(shuffled, x)
        assert np.array_equal(np.sort(shuffled, axis=axis), x)
        other = np.moveaxis(shuffled, axis, 0)  # whole slices move
        assert {tuple(row) for row in other} == {tuple(row) for row in np.moveaxis(x, axis, 0)}
    with pytest.raises(ValueError, match="axis"):
        random.shuffle(x, axis=2)


def test_all_orders_are_equally_likely():
    generator = SeedGenerator(1)
    orders = [tuple(np.asarray(random.shuffle(np.arange(3), seed=generator)).tolist()) for _ in range(600)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert counts.min() > 50


# --- symbolic, traced ----------------------------------------------------------------------------------------------


def test_symbolic():
    x = KerasTensor((None, 4), "float32")
    generator = SeedGenerator(1)
    assert random.dropout(x, 0.5, seed=generator).shape == (None, 4)
    assert random.dropout(KerasTensor((2,), "int32"), 0.5).dtype == "float32"
    assert random.shuffle(x, axis=1, seed=1).shape == (None, 4)
    drawn = random.categorical(x, 3, seed=1)
    assert (drawn.shape, drawn.dtype) == ((None, 3), "int32")
    assert np.asarray(generator.next()).tolist() == [1, 0]
    with pytest.raises(ValueError, match="rate"):
        random.dropout(x, 2.0)


def test_shape_rules_agree_with_evaluation():
    from hornbeam.ops.define import Op

    x = KerasTensor((None, 4), "bfloat16")
    for function, arguments in (
        (random.dropout, {"rate": 0.5}), (random.shuffle, {}), (random.categorical, {"num_samples": 3}),
    ):  # fmt: skip
        definition = function.definition
        by_rule = function(x, **arguments, seed=1)
        definition.spec, rule = None, definition.spec
        try:
            by_evaluation = function(x, **arguments, seed=1)
        finally:
            definition.spec = rule
        assert (by_rule.shape, by_rule.dtype) == (by_evaluation.shape, by_evaluation.dtype)
        assert issubclass(definition.operation_class, Op)


@pytest.mark.filterwarnings("ignore:torch cannot follow this function")  # gamma numbers are tried until they fit
@pytest.mark.skipif("compile" not in backend.features, reason="this backend compiles nothing")
def test_compiled_functions_give_the_same_numbers():
    def draw(state):
        generator = SeedGenerator(3)
        with Trace([(generator.state, state)]) as trace:
            outputs = [
                random.normal((5,), seed=generator),
                random.dropout(backend.asarray(np.ones(50), "float32"), 0.5, seed=generator),
                random.gamma((5,), 2.0, seed=generator), random.uniform((5,), seed=1),
            ]  # fmt: skip
        return outputs, trace.values[id(generator.state)]

    state = backend.asarray(np.array([3, 0], "uint32"), "uint32")
    eager, after = draw(state)
    compiled, after_too = backend.compile(draw)(state)
    assert np.asarray(after).tolist() == np.asarray(after_too).tolist() == [3, 3]
    for one, other in zip(eager, compiled, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-5, atol=1e-6)


@needs_gradients
def test_gradient_of_dropout():
    x = backend.asarray(np.ones(100), "float32")
    _, _, (gradient,) = backend.value_and_grad(lambda x: (backend.xp.sum(random.dropout(x, 0.25, seed=1)), None), [x])
    np.testing.assert_allclose(np.asarray(gradient), np.asarray(random.dropout(x, 0.25, seed=1)), rtol=1e-6)


# --- the same stream on every backend ------------------------------------------------------------------------------

# Recorded on the NumPy backend: a backend that gives other numbers breaks saved programs.
RECORDED = {
    "normal": [-1.5005985, 0.1650526, 1.1833888],
    "truncated_normal": [-1.362985, 0.1574788, 1.0998728],
    "uniform": [0.5667297, 0.0655487, 0.3816724],
    "uniform_float16": [0.5664062, 0.0654297, 0.3813477],
    "randint": [566.0, 65.0, 381.0],
    "randint_large": [1217042768.0, 140764892.0, 819635395.0],
    "categorical": [6.0, 5.0, 4.0],
    "dropout": [2.0, 0.0, 0.0, 2.0, 2.0, 0.0],
    "shuffle": [1.0, 2.0, 5.0, 0.0, 3.0, 4.0],
    "gamma": [1.558082, 1.6736388, 2.459661],
    "beta": [0.3656032, 0.5813563, 0.6382961],
    "binomial": [33.0, 28.0, 26.0],
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_numbers(name):
    call = {
        "normal": lambda: random.normal((3,), seed=42),
        "truncated_normal": lambda: random.truncated_normal((3,), seed=42),
        "uniform": lambda: random.uniform((3,), seed=42),
        "uniform_float16": lambda: random.uniform((3,), dtype="float16", seed=42),
        "randint": lambda: random.randint((3,), 0, 1000, seed=42),
        "randint_large": lambda: random.randint((3,), 0, 2**31 - 1, seed=42),
        "categorical": lambda: random.categorical(np.zeros((1, 10), "float32"), 3, seed=42)[0],
        "dropout": lambda: random.dropout(np.ones(6, "float32"), 0.5, seed=42),
        "shuffle": lambda: random.shuffle(np.arange(6), seed=42),
        "gamma": lambda: random.gamma((3,), 2.0, seed=42),
        "beta": lambda: random.beta((3,), 2.0, 3.0, seed=42),
        "binomial": lambda: random.binomial((3,), 100, 0.3, seed=42),
    }[name]
    np.testing.assert_allclose(values(call()), RECORDED[name], rtol=3e-6)


# --- the fastest generator -----------------------------------------------------------------------------------------


@either
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (5, 7), (1000,)])
def test_bits_depend_on_the_key_alone(equal, shape):
    key, other = (backend.asarray(np.array(one, "uint32"), "uint32") for one in ([7, 2], [7, 3]))
    first = np.asarray(bits(key, shape))
    assert (first.shape, first.dtype) == (shape, np.uint32)
    assert np.array_equal(first, np.asarray(bits(key, shape)))
    assert np.array_equal(np.asarray(mask(key, shape, 2**30)), first >= 2**30)
    if first.size:
        assert not np.array_equal(first, np.asarray(bits(other, shape)))


@either
def test_restored_state_gives_the_same_masks(equal):
    layer, store = layers.Dropout(0.5, seed=4), {}
    x = np.ones((4, 50), "float32")
    layer(x, training=True)
    layer.seed_generator.save_own_variables(store)
    drawn = [values(layer(x, training=True)) for _ in range(2)]
    assert not np.array_equal(*drawn)
    other = layers.Dropout(0.5, seed=9)
    other.seed_generator.load_own_variables(store)
    assert all(np.array_equal(one, values(other(x, training=True))) for one in drawn)


def test_the_choice_between_generators():
    x = np.ones(1000, "float32")
    equal = values(random.dropout(x, 0.5, seed=42))
    assert config.is_reproducible_random()
    config.set_reproducible_random(False)
    assert not config.is_reproducible_random()
    assert np.array_equal(equal, values(random.dropout(x, 0.5, seed=42))) == (len(CHOICES) == 1)
    config.set_reproducible_random(None)
    assert config.is_reproducible_random() == backend.reproducible_random
    with pytest.raises(TypeError, match="set_reproducible_random"):
        config.set_reproducible_random("yes")
    assert config.is_reproducible_random() == backend.reproducible_random


@pytest.mark.parametrize(
    ("variable", "file", "chosen"),
    [("", {}, None), ("1", {}, True), ("0", {"reproducible_random": True}, False),
     ("", {"reproducible_random": True}, True)],
)  # fmt: skip
def test_the_choice_outside_of_the_program(monkeypatch, variable, file, chosen):
    monkeypatch.setenv("HORNBEAM_REPRODUCIBLE_RANDOM", variable)
    monkeypatch.setattr(_config, "_file", file)
    assert _config._chosen_random() is chosen
    monkeypatch.setenv("HORNBEAM_REPRODUCIBLE_RANDOM", "maybe")
    with pytest.raises(ValueError, match="HORNBEAM_REPRODUCIBLE_RANDOM"):
        _config._chosen_random()


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [random.normal, random.truncated_normal, random.uniform])
def test_wrong_dtypes_and_shapes(function):
    with pytest.raises(ValueError, match="a float dtype"):
        function((2,), dtype="int32")
    with pytest.raises(ValueError, match="negative"):
        function((-1,))
    with pytest.raises(ValueError, match="known sizes"):
        function((None, 2))
    with pytest.raises(ValueError, match="broadcast"):
        function((2, 3), np.zeros(4, "float32"))
    assert backend.shape(function(3)) == (3,)
    assert backend.shape(function((0, 2))) == (0, 2)
    assert backend.shape(function(())) == ()


def test_more_wrong_dtypes():
    with pytest.raises(ValueError, match="an integer dtype"):
        random.randint((2,), 0, 3, dtype="float32")
    with pytest.raises(ValueError, match="a float dtype"):
        random.binomial((2,), 3, 0.5, dtype="int32")
    with pytest.raises(ValueError, match="alpha that broadcasts"):
        random.gamma((2,), np.ones(3, "float32"))
