"""Asks Keras, a black box on TensorFlow, what the layers of text_cases.py give; writes oracle_text.json.

Run from the root of the repository: `python -m tests.layers.preprocessing.record_text`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np

from tests.layers.preprocessing.text_cases import CASES, Case

TARGET = Path(__file__).with_name("oracle_text.json")


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, list):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, np.str_) else value.item() if isinstance(value, np.generic) else value


def ask(case: Case) -> dict[str, Any]:
    layer = getattr(keras.layers, case.layer)(**case.arguments)
    facts: dict[str, Any] = {}
    if case.adapt is not None:
        if len(case.adapt) == 1:
            layer.adapt(case.adapt[0])
        else:
            for batch in case.adapt:
                layer.update_state(batch)
            layer.finalize_state()
    if hasattr(layer, "get_vocabulary"):
        facts["vocabulary"] = [plain(one) for one in layer.get_vocabulary()]
    config = {**layer.get_config(), "name": None}
    facts["config"] = json.loads(json.dumps(config, default=plain))
    facts["outputs"] = []
    for one in case.inputs:
        try:
            result = layer(one)
        except Exception as problem:
            facts["outputs"].append({"error": type(problem).__name__})
            continue
        values = np.asarray(result.numpy()).tolist()
        facts["outputs"].append(
            {"shape": list(result.shape), "dtype": result.dtype.name, "values": plain(values)}
        )
    return facts


def main() -> None:
    answers = {}
    for name, case in CASES.items():
        keras.utils.clear_session()
        answers[name] = ask(case)
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
