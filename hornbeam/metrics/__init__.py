"""`hornbeam.metrics`: what is measured over batches, as classes and functions; `get`, `serialize`, `deserialize`."""

from hornbeam.metrics.accuracy_metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from hornbeam.metrics.lookup import deserialize, get, serialize
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction_metrics import Mean, MeanMetricWrapper, Sum

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "Mean", "MeanMetricWrapper", "Metric",
    "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "Sum", "TopKCategoricalAccuracy",
    "binary_accuracy", "categorical_accuracy", "deserialize", "get", "serialize", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]
