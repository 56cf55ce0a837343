"""From files and user classes on disk to batches."""

from hornbeam._lazy import attach

_NAMES = {
    "Dataset": "hornbeam.data.dataset",
    "PyDataset": "hornbeam.data.py_dataset",
    "table_dataset": "hornbeam.data.tables",
}

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
