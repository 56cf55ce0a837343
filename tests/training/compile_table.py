"""What `compile` may be given, with outputs, targets and weights; run by the test and in the process of the oracle."""

import numpy as np

SIZE, BATCH, CLASSES = 10, 4, 4
rng = np.random.default_rng(3)
A = rng.random((SIZE, 2)).astype("float32")
B = rng.random((SIZE, CLASSES)).astype("float32") + 0.1
B /= B.sum(-1, keepdims=True)
P = rng.random((SIZE, 1)).astype("float32")
YA = rng.random((SIZE, 2)).astype("float32")
YB = rng.integers(0, CLASSES, (SIZE,))
YO = np.eye(CLASSES, dtype="float32")[YB]
YP = rng.integers(0, 2, (SIZE, 1)).astype("float32")
W1 = rng.integers(0, 4, (SIZE,)).astype("float32")
W2 = rng.random((SIZE,)).astype("float32")

S = "sparse_categorical_crossentropy"
# how the outputs a and b are nested; the leaves are the names of layers
STRUCTURES = {
    "one": "a",
    "binary": "p",
    "classes": "b",
    "list": ["a", "b"],
    "dict": {"p": "a", "q": "b"},
    "reversed": {"z": "a", "c": "b"},
    "nested": ["a", {"n": "b"}],
    "deep": {"u": {"v": "a"}, "w": ["b"]},
    "list1": ["a"],
    "dict1": {"p": "a"},
}
VALUES = {"a": A, "b": B, "p": P}

# id, structure, targets, weights, arguments of compile
CASES = [
    ("string", "one", YA, None, {"loss": "mse", "metrics": ["mae"]}),
    ("weighted", "one", YA, W1, {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae", "mse", "mse"]}),
    ("spelling", "one", YA, None, {"loss": "MSE", "metrics": ["MSE", "mean_squared_error", "MeanSquaredError"]}),
    ("twice", "one", YA, None, {"loss": "mse", "metrics": ["mae", "mae", "mean_absolute_error"]}),
    ("listed", "one", YA, None, {"loss": ["mse"], "metrics": [["mae"]]}),
    ("listed y", "one", [YA], None, {"loss": "mse", "metrics": ["mae"]}),
    ("by name", "one", YA, None, {"loss": {"a": "mse"}, "metrics": {"a": "mae"}}),
    ("loss weight", "one", YA, None, {"loss": "mse", "loss_weights": 2.0}),
    ("loss weight list", "one", YA, None, {"loss": "mse", "loss_weights": [0.5]}),
    ("no metrics", "one", YA, None, {"loss": "mse", "metrics": []}),
    ("binary accuracy", "binary", YP, W1, {"loss": "bce", "metrics": ["acc"], "weighted_metrics": ["accuracy", "AUC"]}),
    ("sparse accuracy", "classes", YB, W1, {"loss": S, "metrics": ["accuracy"], "weighted_metrics": ["acc"]}),
    ("sparse column", "classes", YB[:, None], W2, {"loss": S, "metrics": ["acc"]}),
    ("categorical accuracy", "classes", YO, None, {"loss": "categorical_crossentropy", "metrics": ["acc", "ACC"]}),
    ("one in a list", "list1", [YA], None, {"loss": ["mse"], "metrics": ["mae", "mse"]}),
    ("one in a list, bare y", "list1", YA, W1, {"loss": "mse", "metrics": ["mae"]}),
    ("one in a dict", "dict1", {"p": YA}, W1, {"loss": {"p": "mse"}, "metrics": {"p": ["mae"]}}),
    ("one in a dict, bare y", "dict1", YA, None, {"loss": "mse"}),
    ("lists", "list", [YA, YB], None, {"loss": ["mse", S], "metrics": [["mae"], ["acc"]]}),
    ("flat metrics", "list", [YA, YB], None, {"loss": ["mse", S], "metrics": ["mae", "acc"]}),
    ("tuples", "list", (YA, YB), None, {"loss": ("mse", S), "metrics": (("mae",), "acc")}),
    ("one loss for all", "list", [YA, YO], None, {"loss": "mse", "metrics": [["mae", "mse"], []]}),
    ("same losses", "list", [YA, YO], W2, {"loss": ["mae", "mae"], "loss_weights": [2.0, 3.0]}),
    ("weights each", "list", [YA, YO], [W1, W2], {"loss": ["mae", "mse"], "weighted_metrics": [["mse"], ["mae"]]}),
    ("None loss", "list", [YA, YB], None, {"loss": ["mse", None], "metrics": [None, "acc"]}),
    ("None loss weight", "list", [YA, YB], None, {"loss": ["mse", None], "loss_weights": [2.0, 3.0]}),
    ("None weight", "list", [YA, YB], None, {"loss": ["mse", S], "loss_weights": [4.0, None]}),
    ("dicts by layer", "list", [YA, YB], None, {"loss": {"a": "mse", "b": S}, "metrics": {"a": "mae", "b": ["acc"]}}),
    ("targets by layer", "list", {"a": YA, "b": YB}, None, {"loss": ["mse", S], "metrics": {"b": "acc", "a": "mae"}}),
    ("clash", "list", [YA, YB], W1, {
        "loss": ["mse", S], "metrics": [["mae", "mae"], ["acc"]], "weighted_metrics": [["mae"], ["acc"]],
    }),
    ("dict", "dict", {"p": YA, "q": YB}, None, {"loss": {"p": "mse", "q": S}, "metrics": {"q": "acc", "p": ["mae"]}}),
    ("dict, weights", "dict", {"p": YA, "q": YB}, {"p": W1, "q": W2}, {
        "loss": {"p": "mse", "q": S}, "loss_weights": {"p": 1.0, "q": 3.0},
        "weighted_metrics": {"q": ["acc"], "p": "mae"},
    }),
    ("dict, partial", "dict", {"p": YA, "q": YB}, None, {"loss": {"q": S}, "metrics": {"p": "mae"}}),
    ("dict, None", "dict", {"p": YA, "q": YB}, None, {
        "loss": {"p": "mse", "q": None}, "metrics": {"p": None, "q": "acc"},
    }),
    ("dict, no target", "dict", {"p": YA, "q": None}, None, {"loss": {"p": "mse", "q": None}}),
    ("dict, list y", "dict", [YA, YB], None, {"loss": {"p": "mse", "q": S}, "metrics": {"q": "acc"}}),
    ("dict, lists", "dict", {"p": YA, "q": YB}, None, {"loss": ["mse", S], "metrics": [["mae"], ["acc"]]}),
    ("dict, sorted", "reversed", {"z": YA, "c": YB}, None, {"loss": [S, "mse"]}),
    ("dict, unsorted", "reversed", {"z": YA, "c": YB}, W1, {
        "loss": {"z": "mse", "c": S}, "metrics": {"z": "mae", "c": "acc"},
    }),
    ("nested", "nested", [YA, {"n": YB}], None, {"loss": ["mse", {"n": S}], "metrics": [["mae"], ["acc"]]}),
    ("deep", "deep", {"u": {"v": YA}, "w": [YB]}, None, {"loss": {"u": {"v": "mse"}, "w": [S]}}),
    ("singletons", "list", [YA, YB], None, {"loss": [["mse"], [S]]}),
]  # fmt: skip

# shapes of targets and predictions for "acc"
ACCURACIES = [
    ((8,), (8, 1)), ((8, 1), (8, 1)), ((8,), (8, 3)), ((8, 1), (8, 3)), ((8, 3), (8, 3)), ((8, 4), (8, 4, 3)),
    ((8, 4, 1), (8, 4, 3)), ((8, 4, 3), (8, 4, 3)), ((8, 4), (8, 4, 1)), ((8, 4, 1), (8, 4, 1)), ((8, 3), (8, 1)),
]  # fmt: skip


def accuracy_data(index):
    """Targets and predictions of a row of ACCURACIES."""
    made = np.random.default_rng(index)
    y_true, y_pred = ACCURACIES[index]
    return made.integers(0, 2, y_true), made.random(y_pred).astype("float32")


def leaves(structure):
    """The leaves of a structure, dicts in the order of their keys."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in leaves(structure[key])]
    return [leaf for one in structure for leaf in leaves(one)] if isinstance(structure, (list, tuple)) else [structure]


def mapped(function, structure):
    """The structure with `function` of each leaf; None stays."""
    if isinstance(structure, dict):
        return {key: mapped(function, one) for key, one in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(mapped(function, one) for one in structure)
    return None if structure is None else function(structure)
