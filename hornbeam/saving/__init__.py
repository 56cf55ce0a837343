"""Saving and loading: models, weights, configs and the names of the user's own objects."""

from hornbeam.saving import legacy
from hornbeam.saving.archive import load_model, save_model
from hornbeam.saving.config import deserialize_keras_object, serialize_keras_object
from hornbeam.saving.editor import KerasFileEditor
from hornbeam.saving.registration import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from hornbeam.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

legacy.install()
