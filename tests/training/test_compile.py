"""What `compile` is given for losses and metrics: values and names against keras, forms, errors, checks of labels."""

from pathlib import Path

import numpy as np
import pytest

import hornbeam
from hornbeam import losses, metrics, ops, scope
from hornbeam.training.compile_loss import CompileLoss
from hornbeam.training.compile_metrics import CompileMetrics
from hornbeam.training.labels import check_labels
from tests import keras_oracle
from tests.training.compile_table import (
    ACCURACIES,
    BATCH,
    CASES,
    SIZE,
    STRUCTURES,
    VALUES,
    YA,
    YB,
    YO,
    YP,
    A,
    B,
    P,
    S,
    accuracy_data,
    leaves,
    mapped,
)  # fmt: skip

PROGRAM = """
from compile_table import *
out = {}
for index, (_, name, y, weight, arguments) in enumerate(CASES):
    structure = STRUCTURES[name]
    class Sub(keras.Model):
        def call(self, inputs):
            return mapped(lambda leaf: inputs[leaf] * 1.0, structure)
    inputs = {leaf: keras.Input(VALUES[leaf].shape[1:]) for leaf in leaves(structure)}
    functional = keras.Model(inputs, mapped(lambda leaf: keras.layers.Identity(name=leaf)(inputs[leaf]), structure))
    for kind, model in (("functional", functional), ("subclass", Sub())):
        try:
            model.compile(**arguments)
            data = {leaf: VALUES[leaf] for leaf in leaves(structure)}
            found = model.evaluate(data, y, sample_weight=weight, batch_size=BATCH, verbose=0, return_dict=True)
            out[f"{kind}/{index}"] = {key: float(value) for key, value in found.items()}
        except Exception as problem:
            out[f"{kind}/{index}"] = type(problem).__name__
for index, (_, shape) in enumerate(ACCURACIES):
    y_true, y_pred = accuracy_data(index)
    inputs = keras.Input(shape[1:])
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(loss=lambda y, p: keras.ops.mean(p), metrics=["acc"])
    out[f"accuracy/{index}"] = float(model.evaluate(y_pred, y_true, verbose=0, return_dict=True)["acc"])
print(json.dumps(out))
"""
ROWS = pytest.mark.parametrize("row", range(len(CASES)), ids=[one[0] for one in CASES])


@pytest.fixture(scope="module")
def expected():
    return keras_oracle.tell(PROGRAM, tables=(Path(__file__).with_name("compile_table.py"),))


def evaluated(row, names, structure=None):
    """The logs of an evaluation, in the way the loop makes them."""
    _, nesting, y, weight, arguments = CASES[row]
    arguments = dict(arguments)
    given, weights = arguments.pop("loss"), arguments.pop("loss_weights", None)
    loss = CompileLoss(given, weights, output_names=names, structure=structure)
    compiled = CompileMetrics(
        arguments.pop("metrics", None), arguments.pop("weighted_metrics", None), output_names=names, structure=structure
    )
    assert not arguments
    total = metrics.Mean(name="loss")
    for start in range(0, SIZE, BATCH):
        part = slice(start, start + BATCH)
        y_pred = mapped(lambda leaf, part=part: ops.convert_to_tensor(VALUES[leaf][part]), STRUCTURES[nesting])
        cut = [mapped(lambda one, part=part: one[part], one) for one in (y, weight)]
        value = loss(cut[0], y_pred, cut[1])
        total.update_state(value, sample_weight=float(min(BATCH, SIZE - start)))
        compiled.update_state(cut[0], y_pred, cut[1])
    logs = {one.name: float(one.result()) for one in [total, *loss.metrics]}
    found = {name: float(value) for name, value in compiled.result().items()}
    assert compiled.result_names() == list(found)
    return logs | found


@ROWS
def test_functional(row, expected):
    names = leaves(STRUCTURES[CASES[row][1]])
    wanted = expected[f"functional/{row}"]
    assert isinstance(wanted, dict), wanted
    assert evaluated(row, names) == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@ROWS
def test_with_the_structure_known(row, expected):
    structure = STRUCTURES[CASES[row][1]]
    assert evaluated(row, leaves(structure), structure) == pytest.approx(
        expected[f"functional/{row}"], rel=1e-5, abs=1e-6
    )


@ROWS
def test_subclass(row, expected):
    wanted = expected[f"subclass/{row}"]
    if not isinstance(wanted, dict):
        with pytest.raises(ValueError, match="no dict, since the outputs have no names"):
            evaluated(row, None)
        return
    found = evaluated(row, None)
    if len(set(leaves(STRUCTURES[CASES[row][1]]))) > 1 and len(found) > len(wanted):
        # keras gives two losses of the same kind one name, so that one of them is lost
        assert set(found) - set(wanted) <= {f"{name}_1" for name in wanted}
        return
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("index", range(len(ACCURACIES)), ids=[f"{a}-{b}" for a, b in ACCURACIES])
def test_accuracy_by_shapes(index, expected):
    y_true, y_pred = accuracy_data(index)
    compiled = CompileMetrics(["acc"], None)
    compiled.update_state(y_true, y_pred)
    assert float(compiled.result()["acc"]) == pytest.approx(expected[f"accuracy/{index}"])


CROSSENTROPIES = [
    (YP, P, metrics.BinaryCrossentropy),
    (YB, B, metrics.SparseCategoricalCrossentropy),
    (YO, B, metrics.CategoricalCrossentropy),
]


@pytest.mark.parametrize(("y_true", "y_pred", "cls"), CROSSENTROPIES)
def test_crossentropy_by_shapes(y_true, y_pred, cls):
    compiled = CompileMetrics(["ce", "crossentropy"], None)
    compiled.update_state(y_true, y_pred)
    assert [type(one) for one in compiled.metrics] == [cls, cls]
    assert compiled.result_names() == ["ce", "crossentropy"]


# --- forms that keras refuses and that mean something ---------------------------------------------------------------


def test_partial_dicts():
    loss = CompileLoss({"b": S}, {"b": 2.0}, output_names=["a", "b"])
    value = float(loss({"b": YB}, [A, B]))
    assert value == pytest.approx(2 * float(losses.SparseCategoricalCrossentropy()(YB, B)))
    assert loss.metrics == []
    compiled = CompileMetrics({"b": "acc"}, None, output_names=["a", "b"])
    compiled.update_state({"b": YB}, [A, B])
    assert compiled.result_names() == ["b_acc"]


def test_one_weight_for_all_losses():
    loss = CompileLoss(["mse", "mse"], 3.0, output_names=["a", "b"])
    plain = CompileLoss(["mse", "mse"], output_names=["a", "b"])
    assert float(loss([YA, YO], [A, B])) == pytest.approx(3 * float(plain([YA, YO], [A, B])))
    # what is tracked is not weighted
    assert float(loss.metrics[0].result()) == pytest.approx(float(plain.metrics[0].result()))


def test_single_metric():
    for given in ("mae", metrics.MeanAbsoluteError(name="mae"), metrics.MeanAbsoluteError):
        compiled = CompileMetrics(given, None)
        compiled.update_state(YA, A)
        assert float(next(iter(compiled.result().values()))) == pytest.approx(np.abs(YA - A).mean(), rel=1e-5)


# --- objects and functions -------------------------------------------------------------------------------------------


def test_functions_and_objects():
    def distance(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    class Loss(losses.Loss):
        def call(self, y_true, y_pred):
            return distance(y_true, y_pred)

    wanted = pytest.approx(np.abs(YA - A).mean(), rel=1e-5)
    unnamed = lambda y, p: distance(y, p)  # noqa: E731 - a lambda is what is tested
    for given in (distance, unnamed, Loss(), Loss, losses.mean_absolute_error, losses.MeanAbsoluteError):
        assert float(CompileLoss(given)(YA, A)) == wanted
    compiled = CompileMetrics([distance, unnamed, Loss(name="own"), metrics.mean_absolute_error], None)
    compiled.update_state(YA, A)
    assert {name: float(value) for name, value in compiled.result().items()} == {
        "distance": wanted, "lambda": wanted, "own": wanted, "mean_absolute_error": wanted
    }  # fmt: skip


def test_scalar_loss_function_counts_batches():
    loss = CompileLoss(lambda y_true, y_pred: ops.mean(ops.square(y_true - y_pred)))
    assert float(loss(YA, A)) == pytest.approx(((YA - A) ** 2).mean(), rel=1e-5)


def test_targets_keep_their_dtype_in_metrics_and_not_in_losses():
    seen = {}

    def loss(y_true, y_pred):
        seen["loss"] = ops.dtype(y_true)
        return ops.mean(y_pred, axis=-1)

    def metric(y_true, y_pred):
        seen["metric"] = ops.dtype(y_true)
        return ops.mean(y_pred, axis=-1)

    integers = YB[:, None].astype("int32")
    CompileLoss(loss)(integers, P)
    CompileMetrics([metric], None).update_state(integers, P)
    assert seen == {"loss": "float32", "metric": "int32"}


def test_result_that_is_a_dict():
    class Two(metrics.Metric):
        def update_state(self, y_true, y_pred):
            pass

        def result(self):
            return {"u": ops.ones(()), "w": ops.zeros(())}

    compiled = CompileMetrics([Two(name="two"), "mae"], None)
    compiled.update_state(YA, A)
    assert list(compiled.result()) == ["u", "w", "mae"] == compiled.result_names()


def test_configs_of_metrics():
    compiled = CompileMetrics([{"class_name": "AUC", "config": {"num_thresholds": 5}}], None)
    compiled.update_state(YP, P)
    assert compiled.metrics[0].num_thresholds == 5


def test_state():
    compiled = CompileMetrics(["mae"], ["mse"])
    assert (compiled.built, compiled.metrics, compiled.variables, compiled.result(), compiled.result_names()) == (
        False, [], [], {}, []
    )  # fmt: skip
    compiled.reset_state()
    compiled.update_state(YA, A)
    assert compiled.built
    assert len(compiled.variables) == 4
    compiled.reset_state()
    assert [float(one) for one in compiled.variables] == [0.0] * 4


@pytest.mark.skipif(hornbeam.backend.backend() == "numpy", reason="the numpy backend compiles nothing")
def test_compiled():
    loss = CompileLoss({"p": "mse", "q": S}, {"p": 1.0, "q": 2.0})
    compiled = CompileMetrics({"p": "mae", "q": ["acc"]}, None)
    y_pred = {"p": A, "q": B}
    y_true = {"p": YA, "q": YB}
    wanted = float(CompileLoss({"p": "mse", "q": S}, {"q": 2.0})(y_true, y_pred))
    compiled.update_state(y_true, y_pred)
    loss(y_true, y_pred)
    compiled.reset_state()

    @hornbeam.jit
    def step(y_true, y_pred):
        value = loss(y_true, y_pred)
        compiled.update_state(y_true, y_pred)
        return value, compiled.result()

    value, results = step(y_true, y_pred)
    assert float(value) == pytest.approx(wanted, rel=1e-5)
    assert float(results["p_mae"]) == pytest.approx(np.abs(YA - A).mean(), rel=1e-5)


def test_masks_reach_losses_and_metrics():
    values = np.arange(12.0).reshape(2, 3, 2).astype("float32")
    mask = np.array([[True, False, True], [True, False, False]])
    y_pred = ops.convert_to_tensor(values)
    scope.set_mask(y_pred, ops.convert_to_tensor(mask))
    wanted = (values**2).mean(-1)[mask].mean()
    assert float(CompileLoss("mse")(np.zeros_like(values), y_pred)) == pytest.approx(wanted)
    compiled = CompileMetrics(["mse"], ["mse"])
    compiled.update_state(np.zeros_like(values), y_pred)
    assert [float(one) for one in compiled.result().values()] == pytest.approx([wanted, wanted])


# --- errors ----------------------------------------------------------------------------------------------------------

TWO = ["a", "b"]
PAIR = {"structure": ["a", "b"], "output_names": TWO}
# what fails at once
AT_ONCE = [
    (lambda: CompileLoss("mss"), "Did you mean 'mse'"),
    (lambda: CompileLoss(["mse", "nope"]), "'nope'"),
    (lambda: CompileLoss(3), "a loss, its name"),
    (lambda: CompileLoss("mse", "two"), "a number for each output"),
    (lambda: CompileMetrics(["mee"], None), "Did you mean 'mse' or 'mae'"),
    (lambda: CompileMetrics(None, {"a": ["nope"]}), "'nope'"),
    (lambda: CompileMetrics([3], None), "a metric, its name"),
    (lambda: CompileLoss({"a": "mse", "c": "mse"}, **PAIR), "'c'. Known: a, b"),
    (lambda: CompileLoss(["mse"], **PAIR), "2 entries, one for each of the outputs 'a', 'b', got 1"),
    (lambda: CompileLoss(["mse"] * 3, **PAIR), "2 entries"),
    (lambda: CompileLoss("mse", [1.0], **PAIR), "loss_weights: expected 2 entries"),
    (lambda: CompileLoss("mse", {"d": 1.0}, **PAIR), "'d'. Known: a, b"),
    (lambda: CompileMetrics(["mae"], None, **PAIR), "metrics: expected 2 entries"),
    (lambda: CompileMetrics("mae", None, **PAIR), "each of the 2 outputs"),
    (lambda: CompileMetrics({"z": "mae"}, None, **PAIR), "'z'. Known: a, b"),
    (lambda: CompileMetrics(None, {"z": "mae"}, structure={"p": 0, "q": 0}), "'z'. Known: p, q"),
]


@pytest.mark.parametrize(("call", "text"), AT_ONCE, ids=[text for _, text in AT_ONCE])
def test_errors_at_once(call, text):
    with pytest.raises((ValueError, TypeError), match=text):
        call()


# what fails with the first batch
AT_FIRST = [
    (lambda: CompileLoss(["mse"], output_names=TWO)([YA, YO], [A, B]), "one for each of the outputs 'a', 'b', got 1"),
    (lambda: CompileLoss({"z": "mse"})({"p": YA}, {"p": A}), "Known: p"),
    (lambda: CompileLoss("mse", output_names=TWO)([YA], [A, B]), "y: expected 2 entries"),
    (lambda: CompileLoss("mse", output_names=TWO)([YA, YO, YO], [A, B]), "y: expected 2 entries"),
    (lambda: CompileLoss("mse", output_names=TWO)(YA, [A, B]), "targets for 2 outputs: 'a', 'b'"),
    (lambda: CompileLoss("mse")({"p": YA, "r": YA}, {"p": A}), "'r'. Known: p"),
    (lambda: CompileLoss("mse")({"p": YA}, {"p": A, "q": B}), "targets for output 'q', which has a loss"),
    (lambda: CompileLoss("mse")(None, A), "targets for the output"),
    (lambda: CompileMetrics({"q": "mae"}, None).update_state({"p": YA}, {"p": A, "q": B}), "targets for output 'q'"),
    (lambda: CompileMetrics(["mae"], None).update_state(YA, [A, B]), "targets for 2 outputs"),
    (lambda: CompileLoss("mse", output_names=TWO)([YA, YO], [A, B], [np.ones(SIZE)]), "sample_weight: expected 2"),
]


@pytest.mark.parametrize(("call", "text"), AT_FIRST, ids=[text for _, text in AT_FIRST])
def test_errors_with_the_first_batch(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_errors_inside_name_the_output():
    with pytest.raises(ValueError, match="shape") as problem:
        CompileLoss({"p": "mse"})({"p": YO}, {"p": A})
    assert "In the loss 'mse' of output 'p'" in problem.value.__notes__[-1]
    with pytest.raises(ValueError, match="shape") as problem:
        CompileMetrics(["mae"], None, output_names=["a"]).update_state(YO, A)
    assert "In the metric 'mae' of output 'a'" in problem.value.__notes__[-1]


def test_a_failed_batch_leaves_the_metrics_usable():
    compiled = CompileMetrics(["mae"], None)
    with pytest.raises(ValueError):
        compiled.update_state(None, A)
    compiled.update_state(YA, A)
    assert float(compiled.result()["mae"]) == pytest.approx(np.abs(YA - A).mean(), rel=1e-5)


# --- labels ----------------------------------------------------------------------------------------------------------

BAD_LABELS = [
    (S, [0, 1, 5], 3, r"class numbers in \[0, 3\), got 5 at index 2.*3 classes"),
    (losses.SparseCategoricalCrossentropy(), [[0], [-1]], 3, r"got -1 at index \(1, 0\)"),
    (losses.sparse_categorical_crossentropy, [0.0, np.nan], 3, "NaN at index 1"),
    (losses.SparseCategoricalCrossentropy(ignore_class=-1), [0, -1, 9], 3, "got 9"),
    ("mse", [[0.0], [np.nan]], None, "NaN"),
    (losses.BinaryCrossentropy(), [np.nan], None, "NaN"),
]


@pytest.mark.parametrize(("loss", "labels", "classes", "text"), BAD_LABELS)
def test_bad_labels(loss, labels, classes, text):
    with pytest.raises(ValueError, match=text):
        check_labels(loss, np.array(labels), classes)


GOOD_LABELS = [
    (S, np.array([0, 1, 2]), 3),
    (losses.SparseCategoricalCrossentropy(ignore_class=-1), np.array([0, -1]), 3),
    (losses.SparseCategoricalCrossentropy(), np.array([0, 7]), None),
    (lambda y_true, y_pred: y_pred, np.array([np.nan]), 3),
    ("categorical_crossentropy", np.array([[5.0, 0.0]]), 2),
    (S, [9], 3),
    (S, np.array([], "int32"), 3),
    (S, np.array(["a"]), 3),
]


@pytest.mark.parametrize(("loss", "labels", "classes"), GOOD_LABELS)
def test_labels_that_pass(loss, labels, classes):
    check_labels(loss, labels, classes)


def test_labels_of_all_outputs():
    loss = CompileLoss({"p": "mse", "q": S})
    loss.check_labels({"p": YA, "q": YB}, {"p": A, "q": B})
    with pytest.raises(ValueError, match=r"labels of output 'q'.* got 4 at index 0"):
        loss.check_labels({"p": YA, "q": np.full(SIZE, 4)}, {"p": A, "q": B})
