"""`hornbeam.metrics.get`, `serialize` and `deserialize`, and the short names of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbeam.metrics import accuracy_metrics
from hornbeam.saving.lookup import make_registry_functions


def _aliases() -> Mapping[str, Any]:
    return {"acc": accuracy_metrics.Accuracy}


get, serialize, deserialize = make_registry_functions("metric", "keras.metrics", aliases=_aliases)
