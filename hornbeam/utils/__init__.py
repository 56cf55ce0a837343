"""`hornbeam.utils`: small helpers around data and files; each loads when it is first used."""

from hornbeam._lazy import attach

# Helpers that live where they are used inside hornbeam stand here by the module that has them.
_NAMES = {
    "to_categorical": "hornbeam.utils.numerical",
    "normalize": "hornbeam.utils.numerical",
    "pad_sequences": "hornbeam.utils.sequence",
    "set_random_seed": "hornbeam.utils.seeds",
    "get_file": "hornbeam.utils.files",
    "standardize_dtype": "hornbeam.dtypes",
    "enable_interactive_logging": "hornbeam._config",
    "disable_interactive_logging": "hornbeam._config",
    "is_interactive_logging_enabled": "hornbeam._config",
}

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
