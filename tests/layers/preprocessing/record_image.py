"""Asks Keras, a black box on JAX, what the layers of image_cases.py give; writes oracle_image.npz.

Run from the root of the repository: `python -m tests.layers.preprocessing.record_image`, and beginnings of names of
cases if not all of them. What chance decides is asked of Keras first and recorded, so that it can be replayed.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402

from tests.layers.preprocessing.image_cases import CASES, Case, images, parts  # noqa: E402

TARGET = Path(__file__).with_name("oracle_image.npz")


def stored(value: Any, prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    """A structure as json, its tensors put into `arrays`."""
    if isinstance(value, dict):
        return {key: stored(one, f"{prefix}.{key}", arrays) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [stored(one, f"{prefix}.{i}", arrays) for i, one in enumerate(value)]
    if hasattr(value, "shape"):
        arrays[prefix] = np.asarray(value)
        return {"array": prefix}
    return value


def ask(name: str, case: Case, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    layer = case.make(keras)
    batch = images(case.images)
    facts: dict[str, Any] = {"serialized": keras.layers.serialize(layer)}
    spec = case.make(keras)(keras.KerasTensor((None, *batch.shape[1:]) if batch.ndim == 4 else batch.shape))
    facts["spec"] = [list(spec.shape), spec.dtype]
    if not case.fixed:
        try:
            drawn = layer.get_random_transformation({"images": keras.ops.array(batch)}, training=True)
        except Exception:  # a layer that takes the images alone
            drawn = layer.get_random_transformation(keras.ops.array(batch), training=True)
        facts["drawn"] = stored(drawn, f"{name}|drawn", arrays)
        layer.get_random_transformation = lambda *args, **kwargs: drawn
    facts["images"] = stored(layer(batch, training=True), f"{name}|images", arrays)
    for part, value in parts(case.images).items():
        if part in case.parts:
            try:
                outputs = layer({"images": batch, part: value}, training=True)
            except Exception as problem:
                facts[part] = {"fails": f"{type(problem).__name__}: {problem}"[:200]}
                continue
            facts[part] = stored(outputs[part], f"{name}|{part}", arrays)
    return facts


def main() -> None:
    wanted = sys.argv[1:]
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    if wanted and TARGET.exists():
        with np.load(TARGET) as loaded:
            arrays = dict(loaded)
        facts = json.loads(str(arrays.pop("facts")))
    facts = {name: one for name, one in facts.items() if name in CASES}
    arrays = {key: one for key, one in arrays.items() if key.split("|")[0] in CASES}
    for name, case in CASES.items():
        if wanted and not any(name.startswith(one) for one in wanted):
            continue
        keras.utils.clear_session()
        try:
            facts[name] = ask(name, case, arrays)
        except Exception as problem:
            print(name, type(problem).__name__, str(problem)[:300])
            facts[name] = {"fails": type(problem).__name__}
        for part in case.parts:
            if "fails" in facts[name].get(part, ()):
                print(name, part, facts[name][part]["fails"])
    arrays["facts"] = np.array(json.dumps(facts))
    np.savez_compressed(TARGET, **arrays)


if __name__ == "__main__":
    main()
