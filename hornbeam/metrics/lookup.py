"""`hornbeam.metrics.get`, `serialize` and `deserialize`, and the short names of metrics."""

from __future__ import annotations

from hornbeam import losses
from hornbeam.metrics import accuracy_metrics, probabilistic_metrics, regression_metrics
from hornbeam.saving.lookup import make_registry_functions

_SHORT = {
    "mse": regression_metrics.MeanSquaredError,
    "mae": regression_metrics.MeanAbsoluteError,
    "mape": regression_metrics.MeanAbsolutePercentageError,
    "msle": regression_metrics.MeanSquaredLogarithmicError,
    "bce": probabilistic_metrics.BinaryCrossentropy,
    "acc": accuracy_metrics.Accuracy,
}

get, serialize, deserialize = make_registry_functions(
    "metric",
    "keras.metrics",
    aliases={
        **_SHORT,
        **{name.upper(): cls for name, cls in _SHORT.items()},
        "huber": losses.huber,
        "log_cosh": losses.log_cosh,
        "logcosh": regression_metrics.LogCoshError,
        "rmse": regression_metrics.RootMeanSquaredError,
    },
)
