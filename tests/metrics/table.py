"""Data and arguments for every metric; run by the tests, and in the process of the oracle. Knows NumPy only."""

import numpy as np

BATCHES, SIZE, CLASSES = 3, 6, 4
rng = np.random.default_rng(7)


def floats(*shape):
    return rng.random(shape).astype("float32")


def one_hot(*shape):
    return np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, shape)]


def scores(*shape):
    values = rng.random((*shape, CLASSES)) + 0.05
    return (values / values.sum(-1, keepdims=True)).astype("float32")


def real():
    return floats(SIZE, 3), floats(SIZE, 3)


def signed():
    return floats(SIZE, 3) * 4 - 2, floats(SIZE, 3) * 4 - 2


def binary():
    return rng.integers(0, 2, (SIZE,)), floats(SIZE)


def binary_many():
    return rng.integers(0, 2, (SIZE, CLASSES)), floats(SIZE, CLASSES)


def margins():
    return rng.integers(0, 2, (SIZE, 3)) * 2.0 - 1, floats(SIZE, 3) * 4 - 2


def logits():
    return rng.integers(0, 2, (SIZE, 3)), floats(SIZE, 3) * 8 - 4


def categorical():
    return one_hot(SIZE), scores(SIZE)


def sparse():
    return rng.integers(0, CLASSES, (SIZE,)), scores(SIZE)


def sparse_column():
    return rng.integers(0, CLASSES, (SIZE, 1)), scores(SIZE)


def sequence():
    return rng.integers(0, CLASSES, (SIZE, 5)), scores(SIZE, 5)


def numbers():
    return rng.integers(0, 3, (SIZE, 2)), rng.integers(0, 3, (SIZE, 2))


def class_pairs():
    return rng.integers(0, CLASSES, (SIZE,)), rng.integers(0, CLASSES, (SIZE,))


def sorted_ids():
    ids = np.stack([rng.permutation(CLASSES) for _ in range(SIZE)])
    return rng.integers(0, CLASSES, (SIZE,)), ids


def areas():
    return one_hot(SIZE, 5), scores(SIZE, 5)


# name, arguments, data
TABLE = [
    ("Accuracy", {}, numbers),
    ("BinaryAccuracy", {}, binary),
    ("BinaryAccuracy", {"threshold": 0.3}, binary_many),
    ("CategoricalAccuracy", {}, categorical),
    ("SparseCategoricalAccuracy", {}, sparse),
    ("SparseCategoricalAccuracy", {}, sparse_column),
    ("SparseCategoricalAccuracy", {}, sequence),
    ("TopKCategoricalAccuracy", {"k": 2}, categorical),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, sparse),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, sequence),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, sorted_ids),
    ("MeanSquaredError", {}, real),
    ("RootMeanSquaredError", {}, real),
    ("MeanAbsoluteError", {}, signed),
    ("MeanAbsolutePercentageError", {}, real),
    ("MeanSquaredLogarithmicError", {}, real),
    ("CosineSimilarity", {}, signed),
    ("CosineSimilarity", {"axis": 1}, signed),
    ("LogCoshError", {}, signed),
    ("R2Score", {}, real),
    ("R2Score", {"class_aggregation": None}, real),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, real),
    ("PearsonCorrelation", {}, signed),
    ("ConcordanceCorrelation", {"axis": -1}, signed),
    ("KLDivergence", {}, categorical),
    ("Poisson", {}, real),
    ("BinaryCrossentropy", {}, binary_many),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, logits),
    ("CategoricalCrossentropy", {}, categorical),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, categorical),
    ("SparseCategoricalCrossentropy", {}, sparse),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, sequence),
    ("Hinge", {}, margins),
    ("SquaredHinge", {}, margins),
    ("CategoricalHinge", {}, categorical),
    ("TruePositives", {}, binary),
    ("FalsePositives", {"thresholds": [0.2, 0.7]}, binary_many),
    ("TrueNegatives", {"thresholds": 0.3}, binary),
    ("FalseNegatives", {"thresholds": [0.0, 0.5, 1.0]}, binary),
    ("Precision", {}, binary),
    ("Precision", {"thresholds": [0.1, 0.4, 0.9]}, binary_many),
    ("Precision", {"top_k": 2}, categorical),
    ("Precision", {"top_k": 2, "class_id": 1}, categorical),
    ("Precision", {"top_k": 3, "thresholds": 0.3}, categorical),
    ("Recall", {}, binary),
    ("Recall", {"class_id": 2, "thresholds": 0.2}, categorical),
    ("AUC", {}, binary),
    ("AUC", {"num_thresholds": 7, "summation_method": "minoring"}, binary_many),
    ("AUC", {"num_thresholds": 7, "summation_method": "majoring"}, binary_many),
    ("AUC", {"curve": "PR"}, binary_many),
    ("AUC", {"curve": "PR", "summation_method": "minoring", "num_thresholds": 7}, binary_many),
    ("AUC", {"curve": "PR", "summation_method": "majoring", "num_thresholds": 7}, binary_many),
    ("AUC", {"curve": "PRGAIN"}, binary_many),
    ("AUC", {"curve": "PRGAIN", "num_thresholds": 5, "summation_method": "majoring"}, binary_many),
    ("AUC", {"thresholds": [0.3, 0.35, 0.8]}, binary_many),
    ("AUC", {"thresholds": [i * i / 144 for i in range(1, 12)]}, binary_many),
    ("AUC", {"multi_label": True}, binary_many),
    ("AUC", {"multi_label": True, "num_labels": CLASSES, "label_weights": [1.0, 2.0, 0.0, 4.0]}, binary_many),
    ("AUC", {"multi_label": True, "curve": "PR", "thresholds": [0.2, 0.5]}, binary_many),
    ("AUC", {"label_weights": [1.0, 2.0, 0.0, 4.0], "num_thresholds": 9}, binary_many),
    ("AUC", {"from_logits": True}, logits),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, binary),
    ("SensitivityAtSpecificity", {"specificity": 0.4, "num_thresholds": 1}, binary),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 9}, binary_many),
    ("PrecisionAtRecall", {"recall": 0.5}, binary),
    ("PrecisionAtRecall", {"recall": 0.5, "class_id": 1}, binary_many),
    ("RecallAtPrecision", {"precision": 0.7}, binary),
    ("F1Score", {}, categorical),
    ("F1Score", {"threshold": 0.5, "average": "micro"}, binary_many),
    ("FBetaScore", {"beta": 2.0, "average": "macro", "threshold": 0.3}, binary_many),
    ("FBetaScore", {"beta": 0.5, "average": "weighted"}, categorical),
    ("IoU", {"num_classes": CLASSES, "target_class_ids": [0, 2]}, class_pairs),
    ("IoU", {"num_classes": CLASSES, "target_class_ids": [0, 1], "ignore_class": 2}, class_pairs),
    ("BinaryIoU", {"threshold": 0.4}, binary),
    ("BinaryIoU", {"target_class_ids": [1]}, binary_many),
    ("MeanIoU", {"num_classes": CLASSES}, numbers),
    ("MeanIoU", {"num_classes": CLASSES, "sparse_y_true": False, "sparse_y_pred": False}, areas),
    ("OneHotIoU", {"num_classes": CLASSES, "target_class_ids": [1, 3]}, categorical),
    ("OneHotMeanIoU", {"num_classes": CLASSES}, categorical),
]


FUNCTIONS = [
    ("binary_accuracy", {"threshold": 0.3}, binary_many),
    ("categorical_accuracy", {}, categorical),
    ("sparse_categorical_accuracy", {}, sequence),
    ("top_k_categorical_accuracy", {"k": 2}, areas),
    ("sparse_top_k_categorical_accuracy", {"k": 3}, sparse_column),
    ("sparse_top_k_categorical_accuracy", {"k": 3, "from_sorted_ids": True}, sorted_ids),
    ("pearson_correlation", {"axis": 0}, signed),
    ("concordance_correlation", {}, signed),
    ("binary_crossentropy", {}, binary_many),
    ("binary_focal_crossentropy", {"gamma": 1.5}, binary_many),
    ("categorical_crossentropy", {}, categorical),
    ("categorical_focal_crossentropy", {}, categorical),
    ("categorical_hinge", {}, categorical),
    ("hinge", {}, margins),
    ("huber", {"delta": 0.5}, signed),
    ("kl_divergence", {}, categorical),
    ("log_cosh", {}, signed),
    ("mean_absolute_error", {}, signed),
    ("mean_absolute_percentage_error", {}, real),
    ("mean_squared_error", {}, signed),
    ("mean_squared_logarithmic_error", {}, real),
    ("poisson", {}, real),
    ("sparse_categorical_crossentropy", {}, sequence),
    ("squared_hinge", {}, margins),
]


def batches(row, weighted):
    """The batches for a row of the table: targets, predictions, weights; the same in every process."""
    global rng
    name, arguments, data = TABLE[row]
    rng = np.random.default_rng(row + 1000 * weighted)
    result = []
    for _ in range(BATCHES):
        y_true, y_pred = data()
        weight = rng.integers(0, 4, (SIZE,)).astype("float32") if weighted else None
        if weighted and ("IoU" in name or "ignore_class" in arguments):  # keras needs weights of the full shape
            one_hot_rows = data in (categorical, areas)
            weight = rng.integers(0, 4, y_true.shape[:-1] if one_hot_rows else y_true.shape).astype("float32")
        result.append((y_true, y_pred, weight))
    return result


def function_data(row):
    """Targets and predictions for a row of the table of functions."""
    global rng
    rng = np.random.default_rng(5000 + row)
    return FUNCTIONS[row][2]()
