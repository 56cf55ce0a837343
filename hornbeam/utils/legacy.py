"""`hornbeam.utils.legacy`: names only."""

from hornbeam.saving.old_form import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
