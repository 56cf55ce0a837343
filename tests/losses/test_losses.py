"""Every loss: values and gradients against PyPI's keras, weights, masks, dtypes, reductions, configs, bad input."""

import json

import numpy as np
import pytest

from hornbeam import losses, scope
from hornbeam.backend import active as backend
from hornbeam.losses import *  # noqa: F403  the table below names them as keras does
from hornbeam.losses import Loss, LossFunctionWrapper, MeanSquaredError, SparseCategoricalCrossentropy
from hornbeam.symbolic import KerasTensor
from tests import keras_oracle

# The data: built by the same text here and in the process that asks keras.
DATA = """
def data(kind):
    rng = np.random.default_rng(3)
    n, shape = 4, (4, 3, 5)
    real, target = rng.standard_normal(shape), rng.standard_normal(shape)
    soft = np.exp(real) / np.exp(real).sum(-1, keepdims=True)
    classes = rng.integers(0, 5, shape[:-1])
    onehot = np.eye(5)[classes]
    unit = real[:, 0] / np.linalg.norm(real[:, 0], axis=-1, keepdims=True)
    y_true, y_pred = {
        "real": (target, real),
        "positive": (np.abs(target), np.abs(real) + 0.1),
        "probabilities": (onehot, soft),
        "soft": (np.abs(target) / np.abs(target).sum(-1, keepdims=True), soft),
        "logits": (onehot, real),
        "signs": (np.sign(target), real),
        "sparse": (classes, soft),
        "sparse column": (classes[..., None], soft),
        "sparse logits": (classes, real),
        "channels first": (classes, np.moveaxis(soft, -1, 1)),
        "embeddings": (np.array([0, 0, 1, 0]), unit),
        "sequences": (np.array([[1, 2], [2, 2], [3, 0], [4, 1]]), rng.standard_normal((4, 6, 5))),
    }[kind]
    return y_true.astype("int32" if y_true.dtype.kind == "i" else "float32"), y_pred.astype("float32")
"""
_names: dict = {"np": np}
exec(DATA, _names)
data = _names["data"]

# An expression for each loss object, and the data it is tried on.
CASES = {
    "MeanSquaredError()": "real",
    "MeanAbsoluteError()": "real",
    "MeanAbsolutePercentageError()": "real",
    "MeanSquaredLogarithmicError()": "positive",
    "Huber()": "real",
    "Huber(delta=0.5)": "real",
    "LogCosh()": "real",
    "Poisson()": "positive",
    "KLDivergence()": "soft",
    "CosineSimilarity()": "real",
    "CosineSimilarity(axis=1)": "real",
    "BinaryCrossentropy()": "probabilities",
    "BinaryCrossentropy(from_logits=True, label_smoothing=0.2)": "logits",
    "BinaryCrossentropy(axis=(1, 2))": "probabilities",
    "BinaryFocalCrossentropy()": "probabilities",
    "BinaryFocalCrossentropy(True, 0.3, 3.0, True, 0.1)": "logits",
    "CategoricalCrossentropy()": "soft",
    "CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)": "logits",
    "CategoricalCrossentropy(axis=1)": "soft",
    "CategoricalFocalCrossentropy()": "probabilities",
    "CategoricalFocalCrossentropy(0.3, 3.0, True, 0.1)": "logits",
    "CategoricalFocalCrossentropy([0.1, 0.2, 0.3, 0.4, 0.5])": "soft",
    "SparseCategoricalCrossentropy()": "sparse",
    "SparseCategoricalCrossentropy(from_logits=True)": "sparse logits",
    "SparseCategoricalCrossentropy(ignore_class=2)": "sparse",
    "SparseCategoricalCrossentropy(axis=-1)": "sparse column",
    "CategoricalGeneralizedCrossEntropy()": "sparse",
    "CategoricalGeneralizedCrossEntropy(0.7)": "sparse",
    "Hinge()": "signs",
    "Hinge(name='binary')": "probabilities",
    "SquaredHinge()": "signs",
    "CategoricalHinge()": "probabilities",
    "Dice()": "probabilities",
    "Dice(axis=(1, 2))": "probabilities",
    "Tversky()": "probabilities",
    "Tversky(0.3, 0.6, axis=(1, 2))": "probabilities",
    "Circle()": "embeddings",
    "Circle(2.0, 0.25, False)": "embeddings",
    "CTC()": "sequences",
}
WEIGHTS = {"none": None, "scalar": 2.0, "per sample": (4, 1), "per loss": (4, 3), "one more axis": (4, 3, 1)}
WEIGHTED = ["MeanSquaredError()", "SparseCategoricalCrossentropy()", "SparseCategoricalCrossentropy(ignore_class=2)"]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]


def weights(shape):
    return shape if not isinstance(shape, tuple) else np.random.default_rng(5).random(shape).astype("float32")


@pytest.fixture(scope="module")
def oracle():
    return keras_oracle.run(f"""
import json
from keras.losses import *
{DATA}
def weights(shape):
    # keras does not broadcast weights next to a mask, nor before it adds them up
    if shape is None:
        return None
    if not isinstance(shape, tuple):
        return np.full((4, 3), shape, "float32")
    return np.broadcast_to(np.random.default_rng(5).random(shape).astype("float32").reshape(4, -1), (4, 3))
for name, kind in {CASES!r}.items():
    made = eval(name)
    y_true, y_pred = data(kind)
    def everything(y_pred):
        made.reduction = "none"
        unreduced = made(y_true, y_pred)
        made.reduction = "sum_over_batch_size"
        return jax.value_and_grad(lambda y: jnp.sum(made(y_true, y)))(y_pred), unreduced
    assert made.reduction == "sum_over_batch_size"
    (out[name], out[name + " gradient"]), out[name + " unreduced"] = jax.jit(everything)(jnp.asarray(y_pred))
    out[name + " config"] = json.dumps(keras.losses.serialize(eval(name)))
for name in {WEIGHTED!r}:
    for label, shape in {WEIGHTS!r}.items():
        for reduction in {REDUCTIONS!r}:
            made = eval(name)
            made.reduction = reduction
            given = data({CASES!r}[name]), weights(shape)
            out[f"{{name}} {{label}} {{reduction}}"] = jax.jit(lambda: made(*given[0], given[1]))()
""")


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(oracle, name):
    made = eval(name)
    y_true, y_pred = data(CASES[name])
    np.testing.assert_allclose(np.asarray(made(y_true, y_pred)), oracle[name], rtol=1e-5, atol=1e-6)
    if "gradients" in backend.features:
        _, _, (gradient,) = backend.value_and_grad(lambda y: (made(y_true, y), None), [backend.asarray(y_pred)])
        expected = oracle[name + " gradient"]
        np.testing.assert_allclose(np.asarray(gradient), expected, rtol=2e-4, atol=2e-6 * np.abs(expected).max() + 1e-7)


@pytest.mark.parametrize("name", CASES)
def test_unreduced(oracle, name):
    made = eval(name)
    made.reduction = "none"
    values = np.asarray(made(*data(CASES[name])))
    assert values.shape == oracle[name + " unreduced"].shape
    np.testing.assert_allclose(values, oracle[name + " unreduced"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("label", WEIGHTS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_and_reductions(oracle, name, label, reduction):
    made = eval(name)
    made.reduction = reduction
    values = np.asarray(made(*data(CASES[name]), weights(WEIGHTS[label])))
    expected = oracle[f"{name} {label} {reduction}"]
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


# --- configs and names ---------------------------------------------------------------------------------------------

# What keras leaves out of a config although it was given.
LOST = {"Huber(delta=0.5)": {"delta": 0.5}, "CosineSimilarity(axis=1)": {"axis": 1}}


@pytest.mark.parametrize("name", CASES)
def test_wire_form(oracle, name):
    made = eval(name)
    config = losses.serialize(made)
    wanted = json.loads(str(oracle[name + " config"]))
    wanted["config"].update(LOST.get(name, {}))
    if "(1, 2)" not in name:  # the form of tuples is that of saving, tested there
        assert json.loads(json.dumps(config)) == wanted
    back = losses.get(json.loads(json.dumps(config)))
    assert type(back) is type(made)
    y_true, y_pred = data(CASES[name])
    np.testing.assert_array_equal(np.asarray(back(y_true, y_pred)), np.asarray(made(y_true, y_pred)))


def test_all_names_are_there(shared):
    names = json.loads((shared / "api" / "keras_api.json").read_text())
    wanted = [name.rpartition(".")[2] for name in names if name.startswith("keras.losses.")]
    assert len(wanted) == 48
    assert [name for name in wanted if not hasattr(losses, name)] == []


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("mse", "mean_squared_error"), ("MSE", "mean_squared_error"), ("mae", "mean_absolute_error"),
        ("MAPE", "mean_absolute_percentage_error"), ("msle", "mean_squared_logarithmic_error"),
        ("bce", "binary_crossentropy"), ("kld", "kl_divergence"), ("KLD", "kl_divergence"), ("huber", "huber"),
        ("log_cosh", "log_cosh"), ("hinge", "hinge"), ("poisson", "poisson"), ("dice", "dice"), ("ctc", "ctc"),
        ("cosine_similarity", "cosine_similarity"), ("categorical_crossentropy", "categorical_crossentropy"),
        ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy"), ("circle", "circle"),
    ],
)  # fmt: skip
def test_get_by_name(name, function):
    assert losses.get(name) is getattr(losses, function)


def test_get_of_other_things():
    made = MeanSquaredError()
    assert losses.get(made) is made
    assert losses.get(None) is None
    assert losses.get(len) is len
    assert type(losses.get("MeanSquaredError")) is MeanSquaredError
    assert type(losses.get(MeanSquaredError)) is MeanSquaredError
    assert losses.deserialize(losses.serialize(losses.mean_squared_error)) is losses.mean_squared_error
    with pytest.raises(ValueError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_squared_eror")
    with pytest.raises(ValueError, match="loss"):
        losses.get(3)


# --- masks ---------------------------------------------------------------------------------------------------------

TARGET = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]], "float32")  # losses against ones: 0.5, 6.5, 8.5


def masked(mask, shape=(3, 2)):
    y_pred = backend.asarray(np.ones(shape, "float32"))
    scope.set_mask(y_pred, backend.asarray(np.array(mask)))
    return y_pred


# From PyPI's keras 3.15.1 (torch, where tensors keep masks): reduction, mask, weights, result.
MASKED = [
    ("sum", [True, False, True], None, 9.0),
    ("sum", [True, False, True], [1.0, 2.0, 3.0], 26.0),
    ("sum_over_batch_size", [True, False, True], None, 4.5),
    ("sum_over_batch_size", [True, False, True], [[1.0], [2.0], [3.0]], 13.0),
    ("mean", [True, False, True], [1.0, 2.0, 3.0], 13.0),
    ("mean_with_sample_weight", [True, False, True], None, 4.5),
    ("mean_with_sample_weight", [True, False, True], [1.0, 2.0, 3.0], 6.5),
    ("none", [True, False, True], [1.0, 2.0, 3.0], [0.5, 0.0, 25.5]),
    ("sum", [False] * 3, None, 0.0),
    ("sum_over_batch_size", [False] * 3, [1.0, 2.0, 3.0], 0.0),
    ("mean_with_sample_weight", [False] * 3, [1.0, 2.0, 3.0], 0.0),
]


@pytest.mark.parametrize(("reduction", "mask", "weight", "result"), MASKED)
def test_masks(reduction, mask, weight, result):
    values = MeanSquaredError(reduction=reduction)(TARGET, masked(mask), weight)
    np.testing.assert_allclose(np.asarray(values), result, rtol=1e-6)


def test_masks_of_sequences():
    target = np.arange(12, dtype="float32").reshape(2, 3, 2)
    y_pred = masked([[True, False, True], [True, True, True]], (2, 3, 2))
    assert abs(float(MeanSquaredError()(target, y_pred)) - 38.1) < 1e-4
    weight = np.arange(6.0).reshape(2, 3)
    assert abs(float(MeanSquaredError()(target, y_pred, weight)) - 159) < 1e-3
    assert abs(float(MeanSquaredError(reduction="mean_with_sample_weight")(target, y_pred, weight)) - 56.7857) < 1e-3
    # one weight for each sequence
    one = MeanSquaredError(reduction="none")(target, y_pred, np.array([1.0, 2.0]))
    np.testing.assert_allclose(np.asarray(one), [[0.5, 0, 12.5], [61, 113, 181]])


def test_a_mask_hides_what_is_not_finite():
    target = np.array([[np.nan, 1.0], [1.0, 1.0]], "float32")
    assert float(MeanSquaredError()(target, masked([False, True], (2, 2)))) == 0.0


@pytest.mark.skipif("compile" not in backend.features, reason="this backend compiles nothing")
def test_ignored_classes_in_a_compiled_function():
    y_true, y_pred = data("sparse")
    made = SparseCategoricalCrossentropy(ignore_class=2)
    compiled = backend.compile(lambda y: made(y_true, y))(backend.asarray(y_pred))
    np.testing.assert_allclose(np.asarray(compiled), np.asarray(made(y_true, y_pred)), rtol=1e-6)


# --- dtypes --------------------------------------------------------------------------------------------------------

FUNCTIONS = [
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "cosine_similarity", "dice", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "squared_hinge", "tversky",
]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_functions_keep_the_dtype_of_predictions(name, dtype):
    # percentages of 0 are beyond float16
    y_true, y_pred = data("probabilities" if name != "mean_absolute_percentage_error" else "soft")
    values = getattr(losses, name)(y_true, backend.asarray(y_pred, dtype))
    assert backend.dtype(values) == dtype
    exact = backend.to_numpy(getattr(losses, name)(y_true, y_pred))
    if name != "mean_absolute_percentage_error":
        np.testing.assert_allclose(backend.to_numpy(values).astype("float32"), exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_bfloat16", "float32", None])
def test_objects_compute_in_their_own_dtype(dtype):
    made = MeanSquaredError(dtype=dtype)
    wanted = {"mixed_bfloat16": "bfloat16", None: "float32"}.get(dtype, dtype)
    assert made.dtype == wanted
    assert backend.dtype(made(TARGET, backend.asarray(np.ones((3, 2)), "float16"))) == wanted
    assert MeanSquaredError.from_config(made.get_config()).dtype == wanted


def test_integers_are_numbers_too():
    assert float(losses.mean_squared_error(np.array([1, 2]), np.array([2, 4]))) == 2.5
    assert float(losses.MeanAbsoluteError()(np.array([1, 2], "uint8"), np.array([1, 5], "uint8"))) == 1.5


def test_large_class_numbers_are_exact():
    # 2**24 + 1 is no float32
    y_pred = np.full((1, 3), 1 / 3, "float32")
    made = SparseCategoricalCrossentropy(ignore_class=2**24 + 1)
    assert float(made(np.array([2**24 + 1]), y_pred)) == 0.0
    assert made._as_target(np.array([2**24 + 1])).dtype.kind == "i"


# --- shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("true", "pred"), [((2,), (2, 1)), ((2, 1), (2,)), ((2, 3), (2, 3, 1)), ((2, 3, 1), (2, 3)), ((2, 1), (2, 4))]
)
def test_last_axes_of_size_1(true, pred):
    values = MeanSquaredError(reduction="none")(np.zeros(true, "float32"), np.ones(pred, "float32"))
    assert np.asarray(values).tolist() == np.ones(np.shape(values)).tolist()
    assert len(np.shape(values)) == 1


@pytest.mark.parametrize("name", [*FUNCTIONS, "sparse_categorical_crossentropy"])
@pytest.mark.parametrize(("true", "pred"), [((2, 3), (2, 4)), ((2, 3), (5, 3)), ((2, 3, 4), (2, 4, 3))])
def test_wrong_shapes_name_both(name, true, pred):
    if name == "sparse_categorical_crossentropy":
        true = true[:-2] + (7,)
    with pytest.raises(ValueError) as caught:
        getattr(losses, name)(np.zeros(true, "float32"), np.ones(pred, "float32"))
    assert f"y_true.shape={true}" in str(caught.value)
    assert f"y_pred.shape={pred}" in str(caught.value)


def test_class_numbers_in_a_column():
    y_true, y_pred = data("sparse column")
    made = losses.CategoricalGeneralizedCrossEntropy()
    assert float(made(y_true, y_pred)) == float(made(y_true[..., 0], y_pred))


@pytest.mark.parametrize("shape", [(5,), (4, 2), (3, 4), (1, 4, 3), (4, 3, 5)])
def test_wrong_weights(shape):
    y_true, y_pred = data("real")
    with pytest.raises(ValueError, match=r"broadcasts to losses of shape=\(4, 3\)"):
        MeanSquaredError()(y_true, y_pred, np.ones(shape, "float32"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_symbolic(name):
    x = KerasTensor((None, 3), "float32")
    symbolic = getattr(losses, name)(KerasTensor((None, 3), "float32"), x)
    real = getattr(losses, name)(np.ones((4, 3), "float32"), np.ones((4, 3), "float32") / 3)
    assert len(symbolic.shape) == len(np.shape(real))


def test_nothing():
    assert float(MeanSquaredError()(np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32"))) == 0.0


# --- own losses ----------------------------------------------------------------------------------------------------


class Own(Loss):
    def call(self, y_true, y_pred):
        if isinstance(y_pred, dict):
            y_true, y_pred = y_true["a"], y_pred["a"]
        return backend.xp.mean((y_true - y_pred) ** 2, axis=-1)


def test_own_losses():
    assert Own(name="mine").get_config() == {"name": "mine", "reduction": "sum_over_batch_size"}
    assert Own().name.startswith("own")
    assert float(Own()(TARGET, np.ones((3, 2)))) == pytest.approx(31 / 6)
    assert float(Own()({"a": TARGET}, {"a": np.ones((3, 2), "int32")})) == pytest.approx(31 / 6)
    with pytest.raises(NotImplementedError, match="a loss with a `call` method"):
        Loss()(TARGET, TARGET)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_circle_without_pairs(labels):
    embeddings = np.eye(4, dtype="float32")
    assert float(losses.Circle()(np.array(labels), embeddings)) == 0.0
    if "gradients" in backend.features:
        made = losses.Circle()
        embeddings = backend.asarray(embeddings)
        _, _, (gradient,) = backend.value_and_grad(lambda y: (made(np.array(labels), y), None), [embeddings])
        assert not np.asarray(gradient).any()


def test_functions_of_users():
    made = LossFunctionWrapper(losses.huber, reduction="sum", name="mine", delta=0.5)
    back = LossFunctionWrapper.from_config(made.get_config())
    assert back.get_config() == made.get_config()
    assert float(back(TARGET, np.ones((3, 2)))) == float(made(TARGET, np.ones((3, 2))))
    with pytest.raises(TypeError, match="a callable"):
        LossFunctionWrapper("mse")


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["auto", "SUM", 3])
def test_unknown_reductions(reduction):
    with pytest.raises(ValueError, match="reduction"):
        MeanSquaredError(reduction=reduction)


@pytest.mark.parametrize("q", [0, 1.0, 2.0, "a", None])
def test_q(q):
    with pytest.raises(ValueError, match="q between 0 and 1"):
        losses.CategoricalGeneralizedCrossEntropy(q)


@pytest.mark.parametrize(("smoothing", "error"), [(2.0, ValueError), (-0.1, ValueError), ("a", TypeError)])
def test_label_smoothing(smoothing, error):
    for function in (losses.binary_crossentropy, losses.categorical_crossentropy):
        with pytest.raises(error, match="label_smoothing"):
            function([[0.0, 1.0]], [[0.5, 0.5]], label_smoothing=smoothing)


@pytest.mark.parametrize("axis", [4, -3, 1.0])
def test_axes(axis):
    with pytest.raises((ValueError, TypeError), match="axis"):
        losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]], axis=axis)


def test_a_single_class_warns():
    with pytest.warns(SyntaxWarning, match="more than one class"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


@pytest.mark.parametrize(("true", "pred"), [((3,), (2, 6, 5)), ((2, 3), (6, 5)), ((2, 3), (1, 6, 5))])
def test_ctc_shapes(true, pred):
    with pytest.raises(ValueError, match="y_true of shape"):
        losses.ctc(np.zeros(true, "int32"), np.zeros(pred, "float32"))


@pytest.mark.parametrize(("true", "pred"), [((3,), (2, 5)), ((2, 2), (2, 5)), ((2,), (2, 3, 5))])
def test_circle_shapes(true, pred):
    with pytest.raises(ValueError, match="embeddings of shape"):
        losses.circle(np.zeros(true, "int32"), np.zeros(pred, "float32"))
