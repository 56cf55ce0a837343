"""Runs the table of `cases.py` with PyPI's keras and writes what it gives into `oracle.json`.

Run: python tests/callbacks/record_oracle.py, after a row was added or changed.
"""

import json
import os
import tempfile
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import cases
import keras

FILE = Path(__file__).with_name("oracle.json")


def main() -> None:
    warnings.simplefilter("ignore")
    found = {"version": keras.__version__}
    for group, (run, table) in cases.GROUPS.items():
        for name in table:
            found[f"{group}/{name}"] = run(keras, name)
    for group, (run, table) in cases.FILE_GROUPS.items():
        for name in table:
            with tempfile.TemporaryDirectory() as folder:
                found[f"{group}/{name}"] = run(keras, name, Path(folder))
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
