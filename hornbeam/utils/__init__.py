"""`hornbeam.utils`: small helpers around data and files; each loads when it is first used."""

from hornbeam._lazy import attach

_NAMES = {
    "bounding_boxes": "hornbeam.utils.bounding_boxes",
    "legacy": "hornbeam.utils.legacy",
    "Config": "hornbeam.utils.settings",
    "to_categorical": "hornbeam.utils.numerical",
    "normalize": "hornbeam.utils.numerical",
    "pad_sequences": "hornbeam.utils.sequence",
    "set_random_seed": "hornbeam.utils.seeds",
    "get_file": "hornbeam.utils.files",
    # What follows is public here, and lives where hornbeam itself uses it.
    "standardize_dtype": "hornbeam.dtypes",
    "enable_interactive_logging": "hornbeam._config",
    "disable_interactive_logging": "hornbeam._config",
    "is_interactive_logging_enabled": "hornbeam._config",
    "Progbar": "hornbeam.training.progress",
    "pack_x_y_sample_weight": "hornbeam.training.unpack",
    "unpack_x_y_sample_weight": "hornbeam.training.unpack",
    "image_dataset_from_directory": "hornbeam.data.loaders",
    "text_dataset_from_directory": "hornbeam.data.loaders",
    "audio_dataset_from_directory": "hornbeam.data.loaders",
    "timeseries_dataset_from_array": "hornbeam.data.splitting",
    "split_dataset": "hornbeam.data.splitting",
    "load_img": "hornbeam.data.pictures",
    "save_img": "hornbeam.data.pictures",
    "img_to_array": "hornbeam.data.pictures",
    "array_to_img": "hornbeam.data.pictures",
    "FeatureSpace": "hornbeam.layers.preprocessing.feature_space",
    "PyDataset": "hornbeam.data.py_dataset",
    "Sequence": "hornbeam.data.py_dataset",
    "clear_session": "hornbeam.utils.session",
    "is_keras_tensor": "hornbeam.utils.session",
    "get_source_inputs": "hornbeam.utils.session",
    "model_to_dot": "hornbeam.models.plot",
    "plot_model": "hornbeam.models.plot",
    "CustomObjectScope": "hornbeam.saving.registration",
    "custom_object_scope": "hornbeam.saving.registration",
    "get_custom_objects": "hornbeam.saving.registration",
    "get_registered_name": "hornbeam.saving.registration",
    "get_registered_object": "hornbeam.saving.registration",
    "register_keras_serializable": "hornbeam.saving.registration",
    "serialize_keras_object": "hornbeam.saving.config",
    "deserialize_keras_object": "hornbeam.saving.config",
}

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
