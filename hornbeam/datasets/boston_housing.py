"""Boston housing: 506 districts of 1978, thirteen figures of each and the median price of its houses."""

from __future__ import annotations

from hornbeam.datasets.cached import STORE, Pair, arrays_of, check_split, fetched, shuffled_split

FILE_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Pair, Pair]:
    """The Boston housing prices (Harrison and Rubinfeld, 1978), for old programs.

    One of its columns rests on the assumption that people's colour sets prices; `california_housing` is the better
    choice for anything new.

    Args:
        path: The file's name in the cache, below `$KERAS_HOME/datasets`, else `~/.keras/datasets`; or the absolute
            path of a file.
        test_split: The share that is held back for tests.
        seed: Of the order of the rows.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 `[rows, 13]`, and prices in 1,000 dollars, `[rows]`.

    Raises:
        OSError: If the data is not in the cache and cannot be fetched, or is damaged.
        ValueError: If an argument is out of range.
    """
    test_split = check_split(test_split, "boston_housing.load_data")
    x, y = arrays_of(fetched(path, STORE + "boston_housing.npz", FILE_HASH), ("x", "y"))
    return shuffled_split(x, y, test_split, seed)
