"""Regularizers: values and gradients against PyPI's keras, configs, names, bad input."""

import json

import numpy as np
import pytest

from hornbeam import regularizers
from hornbeam.backend import active as backend
from hornbeam.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from hornbeam.variable import Variable
from tests import keras_oracle

# How each is made, and on what shape.
CASES = {
    "L1()": (3, 4),
    "L1(0.5)": (2, 3, 4),
    "L2()": (3, 4),
    "L2(0.3)": (5,),
    "L1L2()": (3, 4),
    "L1L2(0.1, 0.2)": (3, 4),
    "L1L2(0.1)": (3, 4),
    "L1L2(l2=0.1)": (3, 4),
    "OrthogonalRegularizer()": (3, 4),
    "OrthogonalRegularizer(0.5)": (4, 4),
}


def sample(shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


@pytest.fixture(scope="module")
def oracle():
    return keras_oracle.run(f"""
import json
from keras.regularizers import *
for name, shape in {CASES!r}.items():
    x = np.random.default_rng(1).standard_normal(shape).astype("float32")
    made = eval(name)
    out[name] = made(x)
    # the penalty of nothing at all is a number without a gradient
    out[name + " gradient"] = jax.grad(lambda x: jnp.asarray(made(x), "float32"))(jnp.asarray(x))
    out[name + " config"] = json.dumps(keras.regularizers.serialize(made))
""")


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(oracle, name):
    made, x = eval(name), backend.asarray(sample(CASES[name]))
    np.testing.assert_allclose(np.asarray(made(x)), oracle[name], rtol=2e-6)
    assert backend.shape(made(x)) == ()
    if "gradients" in backend.features:
        _, _, (gradient,) = backend.value_and_grad(lambda x: (made(x), None), [x])
        np.testing.assert_allclose(np.asarray(gradient), oracle[name + " gradient"], rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_wire_form(oracle, name):
    made = eval(name)
    text = json.dumps(regularizers.serialize(made))
    assert text == str(oracle[name + " config"])
    back = regularizers.get(json.loads(text))
    assert type(back) is type(made)
    assert back.get_config() == made.get_config()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("make", [L1, L2, lambda: L1L2(0.1, 0.1), OrthogonalRegularizer])
def test_dtypes(make, dtype):
    assert backend.dtype(make()(backend.asarray(sample((3, 4)), dtype))) == dtype


def test_columns_are_the_rows_of_the_transposed():
    # keras 3.15.1 divides rows by the lengths of columns here, and fails where the matrix is not square
    x = sample((2, 5))
    columns = OrthogonalRegularizer(0.5, "columns")(x)
    np.testing.assert_allclose(np.asarray(columns), np.asarray(OrthogonalRegularizer(0.5)(x.T)), rtol=1e-6)
    assert float(OrthogonalRegularizer()(np.ones((1, 4), "float32"))) == 0.0


def test_variables():
    assert float(L2(1.0)(Variable([1.0, 2.0]))) == 5.0


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("l1", L1), ("L1", L1), ("l2", L2), ("l1l2", L1L2), ("l1_l2", L1L2), ("L1L2", L1L2),
        ("orthogonal_regularizer", OrthogonalRegularizer), ("OrthogonalRegularizer", OrthogonalRegularizer),
    ],
)  # fmt: skip
def test_get_by_name(name, cls):
    assert type(regularizers.get(name)) is cls


def test_get_of_other_things():
    made = L1()
    assert regularizers.get(made) is made
    assert regularizers.get(None) is None
    assert regularizers.get(len) is len
    with pytest.raises(ValueError, match="regularizer"):
        regularizers.get(3)
    with pytest.raises(ValueError, match="Did you mean"):
        regularizers.get("orthogonal_regularizr")
    assert (regularizers.l1, regularizers.l2, regularizers.l1_l2) == (L1, L2, L1L2)


@pytest.mark.parametrize("factor", [-1, "a", float("nan"), float("inf"), [1.0]])
def test_wrong_factors(factor):
    for make in (L1, L2, L1L2, lambda one: L1L2(0.0, one), OrthogonalRegularizer):
        with pytest.raises(ValueError, match="a finite number of at least 0"):
            make(factor)


def test_wrong_mode_and_rank():
    with pytest.raises(ValueError, match="mode"):
        OrthogonalRegularizer(0.1, "x")
    with pytest.raises(ValueError, match=r"a matrix, got shape=\(2, 3, 4\)"):
        OrthogonalRegularizer()(np.ones((2, 3, 4), "float32"))


def test_the_base():
    assert Regularizer()([1.0]) == 0.0
    with pytest.raises(NotImplementedError, match="get_config"):
        Regularizer().get_config()
