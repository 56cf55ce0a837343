"""California housing: 20,640 districts of 1990, eight figures of each and the median price of its houses."""

from __future__ import annotations

from hornbeam.datasets.cached import STORE, Pair, arrays_of, check_split, fetched, shuffled_split
from hornbeam.errors import UnknownNameError

FILE_HASH = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
_SMALL = 600  # rows


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Pair, Pair]:
    """The California housing prices (Pace and Barry, "Sparse spatial autoregressions", 1997).

    Args:
        version: "large" for all 20,640 rows, "small" for 600 of them.
        path: The file's name in the cache, below `$KERAS_HOME/datasets`, else `~/.keras/datasets`; or the absolute
            path of a file.
        test_split: The share that is held back for tests.
        seed: Of the order of the rows.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `[rows, 8]`, and prices in dollars, `[rows]`; of the dtype that the
            file has.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
        ValueError: If an argument is out of range.
    """
    where = "california_housing.load_data"
    if version not in ("large", "small"):
        raise UnknownNameError("version", version, ("large", "small"), where)
    test_split = check_split(test_split, where)
    x, y = arrays_of(fetched(path, STORE + "california_housing.npz", FILE_HASH), ("x", "y"))
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    return shuffled_split(x, y, test_split, seed)
