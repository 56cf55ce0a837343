"""Asks Keras, a black box on JAX, what the layers of the tables in tests/conformance give; writes oracle*.npz.

Run from the root of the repository: `python -m tests.layers.record_oracle`, and the names of tables of all_layers.py
if not all of them. `--new` asks only for rows that are not recorded yet. All of it takes some minutes.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
warnings.filterwarnings("ignore")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

from tests.conformance.all_layers import TABLES  # noqa: E402
from tests.conformance.layers_table import Row  # noqa: E402
from tests.layers.mask_cases import CASES  # noqa: E402

FOLDER = Path(__file__).parent


def leaves(value: Any) -> list[Any]:
    return keras.tree.flatten(value)


def symbol(one: np.ndarray) -> Any:
    return keras.KerasTensor((None, *one.shape[1:]), str(one.dtype))


def ask(row: Row, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    layer = row.make(keras)
    inputs = row.data()
    settings = row.settings
    args = inputs if row.spread else [inputs]
    layer(*args, **settings)
    facts: dict[str, Any] = {"serialized": keras.layers.serialize(layer), "build_config": layer.get_build_config()}
    facts["weights"] = [[one.path.split("/", 1)[1], list(one.shape), one.dtype, one.trainable] for one in layer.weights]
    facts["trainable"] = [one.path.split("/", 1)[1] for one in layer.trainable_weights]
    outputs = row.make(keras)(*keras.tree.map_structure(symbol, args), **row.call)
    facts["symbolic"] = [list(one.shape) for one in leaves(outputs)]
    values = row.values([tuple(one.shape) for one in layer.weights])
    layer.set_weights(values)
    trained = [one.value for one in layer.trainable_variables]
    frozen = [one.value for one in layer.non_trainable_variables]
    flat = [jnp.asarray(one) for one in keras.tree.flatten(args)]
    moving = [i for i, one in enumerate(flat) if one.dtype == jnp.float32]

    def run(trained: Any, moved: Any, training: bool) -> Any:
        full = list(flat)
        for i, one in zip(moving, moved, strict=True):
            full[i] = one
        x = keras.tree.pack_sequence_as(args, full)
        more = {**settings, "training": True} if training else settings
        outputs, state, losses = layer.stateless_call(trained, frozen, *x, return_losses=True, **more)
        total = sum((jnp.sum(one) for one in losses), jnp.zeros(()))
        if layer.activity_regularizer is not None:  # Keras leaves it out in `stateless_call` of a layer by itself
            total = total + layer.activity_regularizer(outputs) / len(leaves(inputs)[0])
        loss = total
        for one in leaves(outputs):
            if jnp.issubdtype(one.dtype, jnp.floating):
                loss = loss + jnp.sum(one * jnp.cos(jnp.arange(one.size, dtype="float32")).reshape(one.shape))
        return loss, (outputs, state, total)

    def everything(trained: Any, moved: Any) -> Any:
        grads, (outputs, _, losses) = jax.grad(run, argnums=(0, 1), has_aux=True)(trained, moved, False)
        if not row.differs:
            return outputs, losses, grads, None, None, None
        train_grads, (train_outputs, state, _) = jax.grad(run, argnums=(0, 1), has_aux=True)(trained, moved, True)
        return outputs, losses, grads, train_outputs, state, train_grads

    layer(*args, **settings)
    eager = sum(float(one) for one in layer.losses)
    assert abs(float(run(trained, [flat[i] for i in moving], False)[1][2]) - eager) < 1e-5, row.name
    if row.random:
        _, (outputs, _, losses) = run(trained, [flat[i] for i in moving], False)
        found: dict[str, Any] = {"out": outputs, "losses": losses}
    else:
        outputs, losses, grads, train_outputs, state, train_grads = jax.jit(everything)(
            trained, [flat[i] for i in moving]
        )
        found = {"out": outputs, "losses": losses, "by_weights": grads[0], "by_inputs": grads[1]}
        if row.differs:
            found |= {
                "train": train_outputs,
                "state": state,
                "train_by_weights": train_grads[0],
                "train_by_inputs": train_grads[1],
            }
    for kind, value in found.items():
        for place, one in enumerate(leaves(value)):
            arrays[f"{row.name}|{kind}|{place}"] = np.asarray(one)
    return facts


def record(name: str, rows: list[Row], cases: dict[str, Any], only_new: bool) -> None:
    target = FOLDER / (f"oracle_{name}.npz" if name else "oracle.npz")
    before: dict[str, np.ndarray] = {}
    if only_new and target.exists():
        with np.load(target) as loaded:
            before = dict(loaded)
    known = json.loads(str(before.pop("facts", "{}")))
    facts = {row.name: known[row.name] for row in rows if row.name in known}
    arrays = {key: one for key, one in before.items() if key.split("|")[0] in facts}
    for row in rows:
        if row.name in facts:
            continue
        try:
            facts[row.name] = ask(row, arrays)
        except Exception as problem:
            print(row.name, type(problem).__name__, str(problem)[:200])
            facts[row.name] = {"fails": type(problem).__name__}
    for case_name, case in cases.items():
        try:
            arrays[f"mask|{case_name}"] = np.asarray(case(keras))
        except Exception as problem:
            print(case_name, type(problem).__name__, str(problem)[:200])
            facts[f"mask|{case_name}"] = {"fails": type(problem).__name__}
    arrays["facts"] = np.array(json.dumps(facts, sort_keys=True))
    np.savez_compressed(target, **arrays)


def main() -> None:
    names = [one for one in sys.argv[1:] if one != "--new"] or list(TABLES)
    for name in names:
        record(name, TABLES[name], CASES if name == "" else {}, "--new" in sys.argv)


if __name__ == "__main__":
    main()
