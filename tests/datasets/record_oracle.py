"""Asks PyPI's keras what it loads from made files: `KERAS_BACKEND=numpy python -m tests.datasets.record_oracle`."""

import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from tests.datasets import cases

ORACLE = Path(__file__).with_name("oracle.npz")


def main():
    import keras

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases.write(folder, repeat=10000 // cases.ROWS)

        def get_file(fname, origin=None, extract=False, cache_subdir="datasets", **others):
            place = folder / Path(cache_subdir).relative_to("datasets") / fname
            if not extract:
                return str(place)
            with tarfile.open(f"{place}_archive") as archive:
                archive.extractall(f"{place}_unpacked", filter="data")
            return f"{place}_unpacked"

        # The files are not the real ones, so their hashes are not.
        for name, module in list(sys.modules.items()):
            if ".datasets." in name and hasattr(module, "get_file"):
                module.get_file = get_file
        np.savez_compressed(ORACLE, **cases.answers(keras.datasets))
    print(f"{ORACLE.name}: {ORACLE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
