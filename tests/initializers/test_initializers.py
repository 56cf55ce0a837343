"""Initializers: moments, shapes, dtypes, seeds, configs as Keras writes them, names, bad input."""

import json
import math

import ml_dtypes
import numpy as np
import pytest

from hornbeam import initializers
from hornbeam.backend import active as backend
from hornbeam.initializers import (
    STFT,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
from hornbeam.random import SeedGenerator, set_global_seed
from hornbeam.scope import Trace

RANDOM = [
    GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Orthogonal, RandomNormal,
    RandomUniform, TruncatedNormal, VarianceScaling,
]  # fmt: skip
KNOWN = [Zeros, Ones, Constant]

# As PyPI's keras 3.15.1 writes each of them, made without arguments.
CONFIGS = {
    "Constant": {"value": 0.0},
    "GlorotNormal": {"seed": None, "input_axes": None, "output_axes": None},
    "GlorotUniform": {"seed": None, "input_axes": None, "output_axes": None},
    "HeNormal": {"seed": None, "input_axes": None, "output_axes": None},
    "HeUniform": {"seed": None, "input_axes": None, "output_axes": None},
    "Identity": {},
    "LecunNormal": {"seed": None, "input_axes": None, "output_axes": None},
    "LecunUniform": {"seed": None, "input_axes": None, "output_axes": None},
    "Ones": {},
    "Orthogonal": {"seed": None, "gain": 1.0},
    "RandomNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"seed": None, "minval": -0.05, "maxval": 0.05},
    "STFT": {"side": "real", "window": "hann", "periodic": False, "scaling": "density"},
    "TruncatedNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "VarianceScaling": {
        "seed": None, "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "input_axes": None,
        "output_axes": None,
    },
    "Zeros": {},
}  # fmt: skip


def values(tensor):
    return np.asarray(tensor).astype("float64")


@pytest.mark.parametrize("name", CONFIGS)
def test_wire_form(name):
    initializer = getattr(initializers, name)()
    expected = {
        "module": "keras.initializers", "class_name": name, "config": CONFIGS[name], "registered_name": None,
    }  # fmt: skip
    assert json.dumps(initializers.serialize(initializer)) == json.dumps(expected)
    back = initializers.get(json.loads(json.dumps(expected)))
    assert type(back) is type(initializer)
    assert back.get_config() == initializer.get_config()


@pytest.mark.parametrize(
    "initializer",
    [
        Constant([1, 2, 3]),
        Constant(np.arange(3.0)),
        Identity(2.0),
        Orthogonal(2.0, seed=3),
        VarianceScaling(2.0, "fan_out", "uniform", 1, (0, 1), (3,)),
        STFT("imag", None, None, True),
        GlorotUniform(SeedGenerator(5, name="mine")),
    ],
    ids=lambda one: type(one).__name__,
)
def test_round_trip(initializer):
    shape = (3, 3) if not isinstance(initializer, STFT) else (3, 1, 3)
    shape = (2, 2, 3, 3) if isinstance(initializer, VarianceScaling) else shape
    back = initializers.deserialize(json.loads(json.dumps(initializers.serialize(initializer))))
    assert np.array_equal(values(back(shape)), values(initializer(shape)))
    assert np.array_equal(values(initializer.clone()(shape)), values(back.clone()(shape)))


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("zeros", Zeros), ("zero", Zeros), ("Ones", Ones), ("one", Ones), ("constant", Constant),
        ("identity", Identity), ("IdentityInitializer", Identity), ("orthogonal", Orthogonal),
        ("OrthogonalInitializer", Orthogonal),
        ("stft", STFT), ("STFTInitializer", STFT), ("normal", RandomNormal), ("uniform", RandomUniform),
        ("random_normal", RandomNormal), ("glorot_uniform", GlorotUniform), ("he_normal", HeNormal),
        ("lecun_uniform", LecunUniform), ("variance_scaling", VarianceScaling), ("truncated_normal", TruncatedNormal),
    ],
)  # fmt: skip
def test_get_by_name(name, cls):
    assert type(initializers.get(name)) is cls


def test_get_of_other_things():
    zeros = Zeros()
    assert initializers.get(None) is None
    assert initializers.get(zeros) is zeros
    assert type(initializers.get(Zeros)) is Zeros
    assert initializers.get(len) is len
    assert type(initializers.get({"class_name": "Zeros", "config": {}})) is Zeros
    assert values(initializers.get(np.arange(2.0))((2,))).tolist() == [0, 1]
    with pytest.raises(ValueError, match="Did you mean 'glorot_uniform'"):
        initializers.get("glorot_unifrom")
    with pytest.raises(ValueError, match="initializer"):
        initializers.get(3)


def test_all_names_are_there(shared):
    names = json.loads((shared / "api" / "keras_api.json").read_text())
    wanted = [name.rpartition(".")[2] for name in names if name.startswith("keras.initializers.")]
    assert len(wanted) == 39
    assert [name for name in wanted if not hasattr(initializers, name)] == []


# --- values --------------------------------------------------------------------------------------------------------

# initializer, shape, deviation, largest absolute value
MOMENTS = [
    (RandomNormal(0.0, 2.0, 1), (300, 300), 2.0, None),
    (TruncatedNormal(0.0, 2.0, 1), (300, 300), 2 * 0.8796256610342398, 4.0),
    (RandomUniform(-1.0, 1.0, 1), (300, 300), 1 / math.sqrt(3), 1.0),
    (GlorotUniform(1), (200, 400), math.sqrt(2 / 600), math.sqrt(6 / 600)),
    (GlorotNormal(1), (200, 400), math.sqrt(2 / 600), 2 * math.sqrt(2 / 600) / 0.87962566),
    (LecunNormal(1), (200, 400), math.sqrt(1 / 200), 2 * math.sqrt(1 / 200) / 0.87962566),
    (LecunUniform(1), (200, 400), math.sqrt(1 / 200), math.sqrt(3 / 200)),
    (HeNormal(1), (3, 3, 64, 128), math.sqrt(2 / 576), 2 * math.sqrt(2 / 576) / 0.87962566),
    (HeUniform(1), (5, 64, 128), math.sqrt(2 / 320), math.sqrt(6 / 320)),
    (VarianceScaling(3.0, "fan_out", "untruncated_normal", 1), (3, 3, 64, 128), math.sqrt(3 / 1152), None),
    (VarianceScaling(2.0, "fan_out", "uniform", 1, (0, 1), (3,)), (3, 3, 64, 64), math.sqrt(2 / 64), math.sqrt(6 / 64)),
    (VarianceScaling(2.0, "fan_in", "uniform", 1, (0, 1), (3,)), (3, 3, 64, 64), math.sqrt(2 / 9), math.sqrt(6 / 9)),
    (VarianceScaling(2.0, "fan_in", "uniform", 1, 0, -1), (30, 300, 7), math.sqrt(2 / 30), math.sqrt(6 / 30)),
    (VarianceScaling(2.0, "fan_in", "uniform", 1, output_axes=1), (30, 30, 7), math.sqrt(2 / 900), math.sqrt(6 / 900)),
    (VarianceScaling(1.0, "fan_avg", "uniform", 1), (50_000,), math.sqrt(1 / 50_000), math.sqrt(3 / 50_000)),
]


@pytest.mark.parametrize(("initializer", "shape", "deviation", "largest"), MOMENTS, ids=lambda one: repr(one)[:60])
def test_moments(initializer, shape, deviation, largest):
    sample = values(initializer(shape))
    assert sample.shape == shape
    assert abs(sample.mean()) < 5 * deviation / math.sqrt(sample.size)
    assert abs(sample.std() / deviation - 1) < 0.02
    if largest is not None:
        assert 0.98 * largest < np.abs(sample).max() <= largest * (1 + 1e-6)


def test_scalars_count_as_one():
    assert abs(float(GlorotUniform(1)(()))) <= math.sqrt(3)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4), (2, 2, 50)])
def test_orthogonal(shape):
    matrix = values(Orthogonal(2.0, seed=1)(shape)).reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_orthogonal_has_no_preferred_signs():
    diagonals = [float(np.asarray(Orthogonal(seed=seed)((3, 3)))[0, 0]) for seed in range(60)]
    assert 15 < sum(one > 0 for one in diagonals) < 45


def test_known_values():
    assert values(Identity(2.0)((2, 3))).tolist() == [[2, 0, 0], [0, 2, 0]]
    assert values(Constant([1, 2, 3])((2, 3))).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert values(Ones()((2,), dtype="bool")).tolist() == [1, 1]
    assert backend.dtype(Zeros()((2,), dtype="int32")) == "int32"


# Sums over the kernel of shape (8, 1, 5), from PyPI's keras 3.15.1.
@pytest.mark.parametrize(
    ("args", "total"),
    [
        (("real", "hann", "density", False), 1.0801234), (("real", "hann", "spectrum", True), 0.5),
        (("real", "hamming", "density", True), 1.3908901), (("real", "hamming", None, False), 2.2499998),
        (("real", None, "density", False), 8.0), (("real", "blackman", None, True), 1.68),
        (("real", "tukey", "density", False), 1.1984717), (("real", "tukey", None, True), 3.0),
        (("imag", "hann", "density", False), -0.36724144), (("imag", "hamming", "spectrum", False), -0.14181325),
        (("imag", "blackman", "density", False), -0.28037223), (("imag", "tukey", None, False), -1.475713),
    ],
)  # fmt: skip
def test_fourier_transforms(args, total):
    assert abs(values(STFT(*args)((8, 1, 5))).sum() - total) < 1e-5


# --- seeds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    shape = (4, 5)
    fixed, drawn, moving = cls(seed=3), cls(), cls(seed=SeedGenerator(3))
    assert np.array_equal(values(fixed(shape)), values(fixed(shape)))
    assert np.array_equal(values(fixed(shape)), values(cls(seed=3)(shape)))
    assert np.array_equal(values(drawn(shape)), values(drawn(shape)))
    assert not np.array_equal(values(drawn(shape)), values(cls()(shape)))
    first, second = values(moving(shape)), values(moving(shape))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, values(fixed(shape)))
    assert np.asarray(moving.seed.next()).tolist() == [3, 2]


def test_global_seed():
    set_global_seed(1)
    first = values(GlorotUniform()((3,)))
    set_global_seed(1)
    assert np.array_equal(values(GlorotUniform()((3,))), first)


@pytest.mark.parametrize("seed", ["a", 1.5, True, -1, 2**32])
def test_wrong_seeds(seed):
    with pytest.raises(ValueError, match="an integer seed"):
        GlorotUniform(seed)


def test_the_same_on_every_backend():
    recorded = [[-0.4843016, 0.7843221], [-0.3369666, -0.7611898]]
    np.testing.assert_allclose(values(GlorotUniform(42)((2, 2))), recorded, atol=1e-7)


@pytest.mark.skipif("compile" not in backend.features, reason="this backend compiles nothing")
def test_a_seed_generator_in_a_compiled_function_is_refused():
    initializer = GlorotUniform(SeedGenerator(3))

    def draw(state):
        with Trace([(initializer.seed.state, state)]):
            return initializer((2,))

    with pytest.raises(RuntimeError, match="inside a compiled function"):
        backend.compile(draw)(initializer.seed.state.value)
    assert np.asarray(initializer.seed.next()).tolist() == [3, 0]


@pytest.mark.skipif("compile" not in backend.features, reason="this backend compiles nothing")
def test_an_integer_seed_in_a_compiled_function():
    np.testing.assert_array_equal(
        values(backend.compile(lambda: backend.asarray(GlorotUniform(3)((2,))))()), values(GlorotUniform(3)((2,)))
    )


# --- dtypes, shapes, bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [*RANDOM, *KNOWN])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", None])
def test_dtypes(cls, dtype):
    made = cls()((2, 3), dtype=dtype)
    wanted = dtype or "float32"
    assert backend.shape(made) == (2, 3)
    assert backend.dtype(made) == backend.narrowed.get(wanted, wanted)
    assert backend.is_array(made)


def test_foreign_dtypes():
    assert backend.dtype(GlorotUniform()((2, 3), dtype=ml_dtypes.bfloat16)) == "bfloat16"
    assert backend.dtype(Zeros()((2, 3), dtype=np.int8)) == "int8"


@pytest.mark.parametrize("cls", RANDOM)
def test_random_values_are_floats(cls):
    with pytest.raises(ValueError, match="a float dtype"):
        cls()((2, 3), dtype="int32")


@pytest.mark.parametrize("cls", [*RANDOM, *KNOWN])
@pytest.mark.parametrize("shape", [(2, None), (2, -1)])
def test_wrong_shapes(cls, shape):
    with pytest.raises(ValueError, match="shape"):
        cls()(shape)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Orthogonal()((2,)), ValueError, "two axes or more"),
        (lambda: Identity()((2, 3, 4)), ValueError, "two axes"),
        (lambda: STFT()((8, 5)), ValueError, "kernel"),
        (lambda: STFT("foo"), ValueError, "side"),
        (lambda: STFT(window="foo"), ValueError, "window"),
        (lambda: STFT(scaling="foo"), ValueError, "scaling"),
        (lambda: STFT(window=np.ones(3))((8, 1, 5)), ValueError, "a window of shape"),
        (lambda: Constant(np.arange(3))((4,)), ValueError, "broadcasts to"),
        (lambda: Constant("a"), TypeError, "a number or an array"),
        (lambda: Zeros()((2,), dtype="string"), ValueError, "dtype of numbers"),
        (lambda: VarianceScaling(scale=0), ValueError, "positive scale"),
        (lambda: VarianceScaling(scale="a"), TypeError, "a number as scale"),
        (lambda: VarianceScaling(mode="fan"), ValueError, "mode"),
        (lambda: VarianceScaling(distribution="x"), ValueError, "distribution"),
        (lambda: VarianceScaling(input_axes=(5,), output_axes=(0,))((2, 3)), ValueError, "axes of a shape"),
        (lambda: VarianceScaling(input_axes="a"), TypeError, "input_axes"),
        (lambda: RandomNormal(stddev=float("nan")), ValueError, "finite stddev"),
        (lambda: Initializer()((2,)), NotImplementedError, "__call__"),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_normal_means_truncated_normal():
    assert VarianceScaling(distribution="Normal").get_config()["distribution"] == "truncated_normal"
