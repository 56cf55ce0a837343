"""What a layer with `sparse=True` does where the backend has no sparse tensors."""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import warn


def warn_dense(layer: Any) -> None:
    """Says once for each layer that its vectors are dense."""
    if not layer.__dict__.get("_warned_of_dense"):
        layer.__dict__["_warned_of_dense"] = True
        warn(
            f"{layer._where()}: sparse=True, but hornbeam gives dense vectors on the {backend.name} backend; their "
            "values are the same. Set sparse=False to be rid of this warning.",
        )
