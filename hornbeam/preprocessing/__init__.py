"""`hornbeam.preprocessing`: Keras's older names for what loads and prepares data; each loads when it is first used."""

from hornbeam._lazy import attach

_NAMES = {
    "image": "hornbeam.preprocessing.image",
    "sequence": "hornbeam.preprocessing.sequence",
    "image_dataset_from_directory": "hornbeam.data.loaders",
    "text_dataset_from_directory": "hornbeam.data.loaders",
    "timeseries_dataset_from_array": "hornbeam.data.splitting",
}

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
