"""Runs the programs of `cases.py` with PyPI's keras and writes what they give into `oracle.json`.

Run: python tests/training/record_oracle.py, after a row was added or changed.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import cases
import jax
import keras

FILE = Path(__file__).with_name("oracle.json")


def main(only: list[str]) -> None:
    warnings.simplefilter("ignore")
    found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() and only else {}
    rows = {f"fit/{name}": (cases.fit, (keras, name)) for name in cases.FIT}
    rows.update({name: (program, (keras,)) for name, program in cases.PROGRAMS.items()})
    rows.update({name: (program, (keras, jax)) for name, program in cases.JAX_PROGRAMS.items()})
    for name, (program, arguments) in rows.items():
        if only and name not in only:
            continue
        keras.utils.clear_session()
        try:
            found[name] = cases.rounded(program(*arguments))
        except Exception as problem:
            found[name] = {"error": f"{type(problem).__name__}: {problem}"}
            print(name, found[name]["error"][:300])
    found["version"] = keras.__version__
    FILE.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
