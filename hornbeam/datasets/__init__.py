"""`hornbeam.datasets`: well-known data sets, fetched once and kept in Keras's cache."""

from hornbeam._lazy import attach

_NAMES = {
    name: f"hornbeam.datasets.{name}"
    for name in (
        "boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters",
    )
}  # fmt: skip

__all__ = list(_NAMES)
__getattr__, __dir__ = attach(__name__, _NAMES)
