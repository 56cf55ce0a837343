"""Constraints: values and gradients against PyPI's keras, configs, names, bad input."""

import json

import numpy as np
import pytest

from hornbeam import constraints
from hornbeam.backend import active as backend
from hornbeam.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from hornbeam.variable import Variable
from tests import keras_oracle

CASES = {
    "MaxNorm()": (3, 4),
    "MaxNorm(0.5, 1)": (3, 4),
    "MaxNorm(0.7, axis=(0, 1, 2))": (2, 3, 4, 5),
    "MinMaxNorm()": (3, 4),
    "MinMaxNorm(0.1, 0.2, 0.3, 1)": (3, 4),
    "MinMaxNorm(3.0, 4.0)": (3, 4),
    "NonNeg()": (3, 4),
    "UnitNorm()": (3, 4),
    "UnitNorm(axis=(0, 1))": (3, 4, 2),
}


def sample(shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


@pytest.fixture(scope="module")
def oracle():
    return keras_oracle.run(f"""
import json
from keras.constraints import *
for name, shape in {CASES!r}.items():
    x = np.random.default_rng(1).standard_normal(shape).astype("float32")
    made = eval(name)
    out[name] = made(x)
    weights = np.arange(x.size).reshape(shape)
    out[name + " gradient"] = jax.grad(lambda x: jnp.sum(made(x) * weights))(jnp.asarray(x))
    out[name + " config"] = json.dumps(keras.constraints.serialize(made))
""")


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(oracle, name):
    made, x = eval(name), backend.asarray(sample(CASES[name]))
    np.testing.assert_allclose(np.asarray(made(x)), oracle[name], rtol=2e-6, atol=1e-7)
    if "gradients" in backend.features:
        weights = np.arange(np.prod(tuple(x.shape))).reshape(tuple(x.shape))
        scalar = lambda x: (backend.xp.sum(backend.xp.multiply(made(x), weights)), None)  # noqa: E731
        _, _, (gradient,) = backend.value_and_grad(scalar, [x])
        np.testing.assert_allclose(np.asarray(gradient), oracle[name + " gradient"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_wire_form(oracle, name):
    made = eval(name)
    text = json.dumps(constraints.serialize(made))
    if "(0, 1" not in name:  # the form of tuples is that of saving, tested there
        assert text == str(oracle[name + " config"])
    back = constraints.get(json.loads(text))
    assert type(back) is type(made)
    x = backend.asarray(sample(CASES[name]))
    np.testing.assert_array_equal(np.asarray(back(x)), np.asarray(made(x)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("make", [MaxNorm, MinMaxNorm, NonNeg, UnitNorm])
def test_dtypes_and_zeros(make, dtype):
    made = make()(backend.asarray(np.zeros((3, 4), "float32"), dtype))
    assert backend.dtype(made) == dtype
    if dtype != "float16":  # the smallest float16 is larger than epsilon
        assert not backend.to_numpy(made).astype("float32").any()


def test_a_list_of_axes():
    x = sample((2, 3, 4))
    np.testing.assert_array_equal(np.asarray(UnitNorm([0, 1])(x)), np.asarray(UnitNorm((0, 1))(x)))


def test_variables():
    assert backend.to_numpy(NonNeg()(Variable([-1.0, 2.0]))).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("max_norm", MaxNorm), ("MaxNorm", MaxNorm), ("min_max_norm", MinMaxNorm), ("non_neg", NonNeg),
        ("NonNeg", NonNeg), ("unit_norm", UnitNorm),
    ],
)  # fmt: skip
def test_get_by_name(name, cls):
    assert type(constraints.get(name)) is cls


def test_get_of_other_things():
    made = NonNeg()
    assert constraints.get(made) is made
    assert constraints.get(None) is None
    assert type(constraints.get(NonNeg)) is NonNeg
    with pytest.raises(ValueError, match="Did you mean 'max_norm'"):
        constraints.get("max_nrm")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: MaxNorm("a"), TypeError, "a number as max_value"),
        (lambda: MaxNorm(-1.0), ValueError, "max_value of at least 0"),
        (lambda: MinMaxNorm(rate=float("nan")), ValueError, "rate of at least 0"),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_the_base():
    assert Constraint()([1.0]) == [1.0]
    assert Constraint().get_config() == {}


def test_config_of_a_users_subclass_is_that_of_ours_unless_it_writes_its_own():
    class Plain(MaxNorm):
        def __init__(self, scale):
            super().__init__(max_value=2 * scale)

    class Own(MaxNorm):
        def __init__(self, scale):
            super().__init__(max_value=2 * scale)
            self.scale = scale

        def get_config(self):
            assert super().get_config() == {"max_value": 6, "axis": 0}
            return {"scale": self.scale}

    assert Plain(3).get_config() == {"max_value": 6, "axis": 0}
    assert Own.from_config(Own(3).get_config()).max_value == 6
