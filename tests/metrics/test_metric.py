"""The base of metrics, means, sums and wrappers: state, names, weights, masks, configs, errors, and finding by name."""

import json

import numpy as np
import pytest

import hornbeam
from hornbeam import metrics, ops, scope
from hornbeam.errors import ArgumentError

V1 = np.arange(6.0)
V2 = V1.reshape(2, 3)
V3 = np.arange(12.0).reshape(2, 3, 2)


class Largest(metrics.Metric):
    """A metric of a user, with a nested one."""

    def __init__(self, start=1.0, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.start = start
        self.largest = self.add_variable((), "zeros", name="largest")
        self.inner = [metrics.Mean(name="inside")]

    def update_state(self, values, sample_weight=None):
        self.largest.assign(ops.maximum(self.largest, ops.max(values)))
        self.inner[0].update_state(values)

    def result(self):
        return {"largest": self.largest.value, "mean": self.inner[0].result()}


def test_own_metric():
    metric = Largest(2.0)
    found = metric(V1)
    assert {name: float(value) for name, value in found.items()} == {"largest": 5.0, "mean": 2.5}
    assert [one.path.rpartition("/")[2] for one in metric.variables] == ["largest", "total", "count"]
    metric.reset_states()
    assert all(not one.numpy().any() for one in metric.variables)
    assert metric.get_config() == {"name": metric.name, "dtype": "float32", "start": 2.0}
    assert Largest.from_config(metric.get_config()).start == 2.0


def test_names_count_up_and_scope_variables():
    scope.reset_names()
    first, second = Largest(), Largest()
    assert (first.name, second.name) == ("largest", "largest_1")
    assert second.variables[0].path == "largest_1/largest"
    assert [one.path for one in metrics.Mean().variables] == ["mean/total", "mean/count"]
    assert metrics.IoU(2, [0]).name == "io_u"


# values, weights, total and count as keras has them
MEANS = [
    (4.0, None, 4.0, 1.0),
    (4.0, 2.0, 8.0, 2.0),
    (4.0, [5.0], 20.0, 5.0),
    (V1, None, 15.0, 6.0),
    (V1, 2.0, 5.0, 2.0),
    (V1, V1, 55.0, 15.0),
    (V1, V1[:, None], 55.0, 15.0),
    (V1, [5.0], 75.0, 30.0),
    (V2, None, 5.0, 2.0),
    (V2, [1.0, 2.0], 9.0, 3.0),
    (V2, [[1.0], [2.0]], 9.0, 3.0),
    (V2, V2, 55 / 3, 5.0),
    (V2, V2[..., None], 55 / 3, 5.0),
    (V2, [[0.0, 1.0, 2.0]], 19 / 3, 2.0),
    (V2, [0.0, 0.0], 0.0, 0.0),
    (V3, None, 11.0, 2.0),
    (V3, [1.0, 2.0], 19.5, 3.0),
    (V3, V2, 117.5 / 3, 5.0),
    (V1[:, None], V1, 55.0, 15.0),
    (V1[:, None], 2.0, 5.0, 2.0),
]


@pytest.mark.parametrize(("values", "weight", "total", "count"), MEANS)
def test_mean(values, weight, total, count):
    metric = metrics.Mean()
    metric.update_state(values, sample_weight=weight)
    np.testing.assert_allclose([metric.total.numpy(), metric.count.numpy()], [total, count], rtol=1e-6)
    np.testing.assert_allclose(float(metric.result()), total / count if count else 0.0, rtol=1e-6)


SUMS = [
    (4.0, None, 4), (V1, 2.0, 30), (V2, [1.0, 2.0], 27), (V2, [[0.0, 1.0, 2.0]], 19), (V3, [1.0, 2.0], 117),
    (V3, V2, 235),
]  # fmt: skip


@pytest.mark.parametrize(("values", "weight", "total"), SUMS)
def test_sum(values, weight, total):
    assert float(metrics.Sum()(values, sample_weight=weight)) == total


@pytest.mark.parametrize(("values", "weight"), [(V1, [1.0, 2.0]), (V2, V1), (4.0, [1.0, 2.0]), (V2, V3), (V1, V2)])
def test_weights_that_do_not_fit(values, weight):
    metric = metrics.Mean()
    with pytest.raises(ValueError, match="sample_weight that broadcasts"):
        metric.update_state(values, sample_weight=weight)
    assert not metric.total.numpy()


MASK = np.array([[True, False, True], [True, False, False]])
# weights and the count; keras refuses weights [batch] beside a mask, which have one meaning only
MASKED = [
    (None, 1.0),
    ([1.0, 2.0], 4 / 3),
    ([[1.0], [2.0]], 4 / 3),
    ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], 8 / 3),
    (3.0, 3.0),
]


@pytest.mark.parametrize(("weight", "count"), MASKED)
def test_mask_of_predictions_weighs(weight, count):
    y_pred = ops.convert_to_tensor(V3.astype("float32"))
    scope.set_mask(y_pred, ops.convert_to_tensor(MASK))
    metric = metrics.MeanSquaredError()
    metric.update_state(np.zeros_like(V3, "float32"), y_pred, sample_weight=weight)
    full = MASK.astype(float)
    if weight is not None:
        given = np.asarray(weight)
        full = full * (given[:, None] if given.ndim == 1 else given)
    total = ((V3**2).mean(-1) * full).mean(1).sum()
    np.testing.assert_allclose([metric.total.numpy(), metric.count.numpy()], [total, count], rtol=1e-6)


def test_dtypes():
    half = metrics.Mean(dtype="float16")
    assert (half.dtype, half.total.dtype, ops.dtype(half(V1))) == ("float16", "float16", "float16")
    assert metrics.Mean(dtype="mixed_float16").dtype == "float16"
    assert metrics.Mean(dtype=hornbeam.DTypePolicy("bfloat16")).dtype == "bfloat16"
    assert metrics.MeanIoU(2).dtype == "int32"
    policy = hornbeam.config.dtype_policy()
    hornbeam.config.set_dtype_policy("mixed_float16")
    try:
        assert metrics.Mean().dtype == "float32"
    finally:
        hornbeam.config.set_dtype_policy(policy)


def test_wrapper_round_trip():
    metric = metrics.MeanMetricWrapper(metrics.mean_squared_error, name="q")
    written = metrics.serialize(metric)
    assert written == {
        "module": "keras.metrics", "class_name": "MeanMetricWrapper", "registered_name": None,
        "config": {
            "name": "q", "dtype": "float32",
            "fn": {
                "module": "builtins", "class_name": "function", "config": "mean_squared_error",
                "registered_name": "function",
            },
        },
    }  # fmt: skip
    again = metrics.deserialize(json.loads(json.dumps(written)))
    assert float(again([[1.0]], [[3.0]])) == 4.0
    huber = metrics.MeanMetricWrapper(metrics.huber, delta=0.5)
    assert huber.get_config()["delta"] == 0.5
    assert metrics.deserialize(metrics.serialize(huber)).get_config() == huber.get_config()


def test_wrapper_hands_on_structures():
    metric = metrics.MeanMetricWrapper(lambda y_true, y_pred: y_true["a"] - y_pred[0])
    assert float(metric({"a": np.ones(2)}, [np.zeros(2)])) == 1.0


NAMES = [
    ("mse", "MeanSquaredError"),
    ("MSE", "MeanSquaredError"),
    ("mae", "MeanAbsoluteError"),
    ("mape", "MeanAbsolutePercentageError"),
    ("msle", "MeanSquaredLogarithmicError"),
    ("bce", "BinaryCrossentropy"),
    ("acc", "Accuracy"),
    ("accuracy", "Accuracy"),
    ("AUC", "AUC"),
    ("auc", "AUC"),
    ("mean", "Mean"),
    ("Recall", "Recall"),
    ("f1_score", "F1Score"),
    ("r2_score", "R2Score"),
    ("kl_divergence", "KLDivergence"),
    ("binary_accuracy", "BinaryAccuracy"),
    ("cosine_similarity", "CosineSimilarity"),
    ("mean_squared_error", "MeanSquaredError"),
    ("root_mean_squared_error", "RootMeanSquaredError"),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"),
    ("top_k_categorical_accuracy", "TopKCategoricalAccuracy"),
]


@pytest.mark.parametrize(("name", "cls"), NAMES)
def test_get(name, cls):
    assert type(metrics.get(name)) is getattr(metrics, cls)


def test_get_other_forms():
    assert metrics.get(None) is None
    own = metrics.Mean()
    assert metrics.get(own) is own
    assert isinstance(metrics.get(metrics.Mean), metrics.Mean)
    assert metrics.get({"class_name": "AUC", "config": {"num_thresholds": 5}}).num_thresholds == 5
    with pytest.raises(ValueError, match="Did you mean 'mse'"):
        metrics.get("mss")
    with pytest.raises(TypeError, match="num_classes"):
        metrics.get("mean_io_u")


def test_saved_variables():
    metric, store = Largest(), {}
    metric(V1)
    metric.save_own_variables(store)
    assert list(store) == ["0"]
    other = Largest()
    other.load_own_variables(store)
    assert float(other.largest) == 5.0
    with pytest.raises(ValueError, match="1 variables"):
        other.load_own_variables({})


BAD = [
    (lambda: metrics.Metric(name="a/b"), "a name without"),
    (lambda: metrics.Metric().result(), "result"),
    (lambda: metrics.Metric().update_state(1), "update_state"),
    (lambda: metrics.Metric().add_variable((None,), "zeros"), "without None"),
    (lambda: metrics.Mean().stateless_result([1.0]), "2 values"),
    (lambda: metrics.MeanMetricWrapper(3), "a function"),
    (lambda: metrics.BinaryAccuracy(threshold=None), "threshold"),
    (lambda: metrics.TopKCategoricalAccuracy(k=0), "positive integer k"),
    (lambda: metrics.Precision(thresholds=1.5), r"\[0, 1\]"),
    (lambda: metrics.Precision(thresholds=[0.5, None]), r"\[0, 1\]"),
    (lambda: metrics.Precision(top_k=9)([[1, 0]], [[0.1, 0.2]]), "top_k=9"),
    (lambda: metrics.Precision(class_id=2)([[1, 0]], [[0.1, 0.2]]), "class_id=2"),
    (lambda: metrics.AUC(num_thresholds=1), "at least 2"),
    (lambda: metrics.AUC(curve="ROK"), "Did you mean 'ROC'"),
    (lambda: metrics.AUC(summation_method="minor"), "Did you mean 'minoring'"),
    (lambda: metrics.AUC(thresholds=[2.0]), r"\[0, 1\]"),
    (lambda: metrics.AUC(label_weights=[1.0, -1.0]), "at least 0"),
    (lambda: metrics.AUC(multi_label=True)([1, 0], [0.1, 0.2]), "labels"),
    (lambda: metrics.SensitivityAtSpecificity(1.5), r"specificity in \[0, 1\]"),
    (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "at least 1"),
    (lambda: metrics.F1Score(average="mean"), "average"),
    (lambda: metrics.FBetaScore(beta=0.0), "above 0"),
    (lambda: metrics.F1Score(threshold="a"), "threshold"),
    (lambda: metrics.F1Score()([1, 0], [0.1, 0.2]), r"\[batch, outputs\]"),
    (lambda: metrics.R2Score(class_aggregation="x"), "class_aggregation"),
    (lambda: metrics.R2Score(num_regressors=-1), "at least 0"),
    (lambda: metrics.IoU(2, [2]), r"\[0, 2\)"),
    (lambda: metrics.MeanIoU(2)([1, 0, 1], [1, 0]), "as many"),
    (lambda: metrics.SparseCategoricalAccuracy()([[0, 1]], [[0.1, 0.9]]), "without 'sparse'"),
    (lambda: metrics.CategoricalAccuracy()([[1]], [[0.1, 0.9]]), "shape"),
    (lambda: metrics.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 4))), "shape"),
]


@pytest.mark.parametrize(("call", "text"), BAD, ids=[text for _, text in BAD])
def test_bad_input(call, text):
    with pytest.raises((ArgumentError, TypeError, NotImplementedError), match=text):
        call()


def test_forgotten_super():
    class Forgetful(metrics.Metric):
        def __init__(self):
            self.value = self.add_variable((), "zeros")

    with pytest.raises(ValueError, match=r"super\(\).__init__\(\)"):
        Forgetful()


def test_empty_results():
    empty = [metrics.Mean(), metrics.AUC(), metrics.Recall(), metrics.F1Score(), metrics.R2Score(), metrics.MeanIoU(2)]
    assert [float(metric.result()) for metric in empty] == [0.0] * 6


def test_classes_out_of_range_count_nowhere():
    metric = metrics.MeanIoU(2)
    metric.update_state([0, 1, -1, 5, 1], [0, 1, 1, 0, 9])
    assert metric.total_confusion_matrix.numpy().tolist() == [[1, 0], [0, 1]]


def test_predictions_that_are_no_numbers():
    metric = metrics.AUC(num_thresholds=3)
    metric.update_state([1.0, 1.0, 1.0], [-1.0, 2.0, np.nan])
    assert metric.true_positives.numpy().tolist() == [3.0, 1.0, 0.0]
