"""Asks Keras, run as a black box on JAX, for what families_table.py should give, and writes oracle_families.json.

Run from the root of the repository: `python -m tests.conformance.record_families`.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
warnings.filterwarnings("ignore")

import jax  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

from tests.conformance.families_table import FAMILIES, FREE, Row  # noqa: E402
from tests.conformance.strange import as_numbers, strange, weights_like  # noqa: E402

TARGET = Path(__file__).with_name("oracle_families.json")


def function_of(family: str, row: Row) -> Any:
    place = {"linalg": keras.ops.linalg, "image": keras.ops.image}.get(family, keras.ops)
    return getattr(place, row.op)


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else repr(value)


def ask(family: str, row: Row) -> dict[str, Any]:
    function = function_of(family, row)
    found: dict[str, Any] = {"dtypes": {}}

    def call(tensors: list[Any]) -> list[Any]:
        return leaves(row.call(function, tensors))

    for dtype in row.dtypes:
        try:
            result = call([keras.ops.convert_to_tensor(one) for one in row.tensors(dtype)])
        except Exception as problem:
            print(row.name, dtype, type(problem).__name__)
            continue
        found["dtypes"][dtype] = [keras.backend.standardize_dtype(one.dtype) for one in result]
        if dtype in ("float32", "int32") and row.op not in FREE:
            found[f"values_{dtype}"] = [as_numbers(one) for one in result]
    tensors = row.tensors("float32")
    if row.grad:
        moving = [i for i, one in enumerate(tensors) if one.dtype == np.float32]

        def scalar(values: list[Any]) -> Any:
            filled = list(tensors)
            for i, value in zip(moving, values, strict=True):
                filled[i] = value
            floats = [one for one in call(filled) if "float" in str(one.dtype)]
            return sum((one * weights_like(one.shape)).sum() for one in floats)

        try:
            found["gradients"] = [as_numbers(one) for one in jax.grad(scalar)([tensors[i] for i in moving])]
        except Exception as problem:
            print(row.name, "gradient", type(problem).__name__)
    if row.nan:
        found["strange"] = [as_numbers(one) for one in call([keras.ops.convert_to_tensor(x) for x in strange(tensors)])]
    try:
        symbols = [keras.KerasTensor(one.shape, one.dtype or "float32") for one in row.specs()]
        operation = call(symbols)[0]._keras_history.operation
        config = {key: plain(value) for key, value in operation.get_config().items() if key != "name"}
        found["node"] = [f"{type(operation).__module__}.{type(operation).__name__}", config]
    except Exception as problem:
        print(row.name, "node", type(problem).__name__)
    return found


def main() -> None:
    lines = []
    for family, rows in FAMILIES.items():
        lines.extend(f"  {json.dumps(one.name)}: {json.dumps(ask(family, one))}" for one in rows)
    rows = ",\n".join(lines)
    TARGET.write_text(f'{{"keras": "{keras.__version__}", "rows": {{\n{rows}\n}}}}\n')


if __name__ == "__main__":
    main()
