"""Asks Keras, run as a black box on JAX, for what the table in ops_table.py should give, and writes oracle_numpy.json.

Run from the root of the repository: `python -m tests.conformance.record_oracle`.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
warnings.filterwarnings("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402

from tests.conformance.ops_table import DTYPES, ROWS, Row  # noqa: E402

TARGET = Path(__file__).with_name("oracle_numpy.json")
PAIRED = ("add", "true_divide", "maximum", "power", "matmul", "equal", "logaddexp", "floor_divide", "where", "append")
NUMBERS = {"int": 2, "float": 2.5}


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def name_of(one: Any) -> str:
    return keras.backend.standardize_dtype(one.dtype) if hasattr(one, "dtype") else type(one).__name__


def values(result: Any) -> list[Any]:
    return [np.asarray(one).tolist() for one in leaves(result)]


def plain(value: Any) -> Any:
    """Configuration as json has it."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else repr(value)


def ask(row: Row) -> dict[str, Any]:
    function = getattr(keras.ops, row.op)
    found: dict[str, Any] = {"dtypes": {}}
    for dtype in row.dtypes:
        tensors = [keras.ops.convert_to_tensor(one) for one in row.tensors(dtype)]
        try:
            result = row.call(function, tensors)
        except Exception as problem:
            print(row.name, dtype, type(problem).__name__, str(problem).splitlines()[0][:100])
            continue
        found["dtypes"][dtype] = [name_of(one) for one in leaves(result)]
        if dtype in ("float32", "int32"):
            found[f"values_{dtype}"] = values(result)
    if row.symbolic:
        symbols = [keras.KerasTensor(one.shape, one.dtype or "float32") for one in row.specs()]
        if row.dtypes[-1] not in ("float32",):
            symbols = [keras.KerasTensor(one.shape, one.dtype or row.dtypes[-1]) for one in row.specs()]
        try:
            tensor = leaves(row.call(function, symbols))[0]
            operation = tensor._keras_history.operation
            config = {key: plain(value) for key, value in operation.get_config().items() if key != "name"}
            found["node"] = [f"{type(operation).__module__}.{type(operation).__name__}", config]
        except Exception as problem:
            print(row.name, "node", type(problem).__name__, str(problem).strip().splitlines()[0][:100])
    return found


def pairs(name: str) -> dict[str, str]:
    function = getattr(keras.ops, name)
    if name == "where":
        function = lambda a, b: keras.ops.where(True, a, b)  # noqa: E731
    found = {}
    for first in DTYPES:
        a = keras.ops.ones((2, 2), first)
        for second in (*DTYPES, *NUMBERS):
            if name == "matmul" and second in NUMBERS:
                continue
            b = NUMBERS[second] if second in NUMBERS else keras.ops.ones((2, 2), second)
            found[f"{first},{second}"] = name_of(function(a, b))
    return found


def main() -> None:
    rows = {row.name: ask(row) for row in ROWS}
    promotion = {name: pairs(name) for name in PAIRED}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in rows.items())
    more = ",\n".join(f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in promotion.items())
    TARGET.write_text(f'{{"keras": "{keras.__version__}",\n"rows": {{\n{lines}\n}},\n"pairs": {{\n{more}\n}}}}\n')


if __name__ == "__main__":
    main()
