"""Models that keras wrote give the same outputs here, and keras opens what we write of them."""

import json
import re
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from hornbeam import ops, saving, tree
from tests import keras_oracle

NAMES = [
    "mnist_convnet", "mlp_regularized", "nested_models", "raw_ops_graph", "two_inputs_two_outputs",
    "bidirectional_lstm", "image_preprocess_in_model", "masking_timedistributed", "normalization_adapted",
    "tiny_transformer",
]
TOLERANCE = 2e-5
# The model was written with other statistics than its reference outputs were computed with, so that Keras itself does
# not give them when it reads the file; this is what it gives then.
REREAD = json.loads(Path(__file__).with_name("golden_reread.json").read_text())


@pytest.fixture
def golden(shared):
    def of(name):
        values = np.load(shared / "golden" / f"{name}.npz")
        ins, outs = ([values[key] for key in sorted(values.files) if key.startswith(kind)] for kind in ("in", "out"))
        if name in REREAD:
            outs = [np.asarray(one, "float32") for one in REREAD[name]]
        return ins, outs

    return of


def outputs(model, ins):
    config = model.get_config()
    places = config.get("input_layers")
    if isinstance(places, dict):  # the arrays are in the order of sorted keys
        ins = dict(zip(sorted(places), ins, strict=True))
    elif len(ins) == 1:
        ins = ins[0]
    return [ops.convert_to_numpy(one) for one in tree.flatten(model(ins, training=False))]


def difference(model, golden, name):
    ins, outs = golden(name)
    found = outputs(model, ins)
    assert len(found) == len(outs)
    return max(float(np.abs(one - other).max()) for one, other in zip(found, outs, strict=True))


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", NAMES)
def test_models_of_keras_give_the_reference_outputs(name, ending, golden, shared):
    model = saving.load_model(shared / "golden" / f"{name}{ending}")
    assert difference(model, golden, name) <= TOLERANCE
    assert model.compiled


@pytest.mark.parametrize("ending", [".weights.h5", ".keras", ".h5"])
@pytest.mark.parametrize("name", NAMES)
def test_weights_of_keras_into_a_fresh_model(name, ending, golden, shared):
    model = saving.load_model(shared / "golden" / f"{name}.keras", compile=False)
    for variable in model.variables:
        if "float" in variable.dtype:
            variable.assign(variable.numpy() * 0 + 1)
    assert difference(model, golden, name) > TOLERANCE or not model.variables
    model.load_weights(shared / "golden" / f"{name}{ending}")
    assert difference(model, golden, name) <= TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_what_we_write_is_what_keras_wrote(name, shared, tmp_path):
    theirs = shared / "golden" / f"{name}.keras"
    model = saving.load_model(theirs)
    ours = tmp_path / "ours.keras"
    model.save(ours)
    assert layout_of(ours) == layout_of(theirs)
    first, second = (plain(json.loads(zipfile.ZipFile(path).read("config.json"))) for path in (theirs, ours))
    for config in (first, second):
        config["compile_config"].pop("jit_compile")  # what a backend can do
    assert differences(first, second) == []


def layout_of(path):
    found = {}

    def look(name, item):
        if not name.startswith("optimizer/"):  # state that came with building it
            found[name] = item.shape if isinstance(item, h5py.Dataset) else dict(item.attrs)
            if "/_" in name and "name" in item.attrs:  # a part that no config names; its number is that of the process
                found[name]["name"] = re.sub(r"_\d+$", "", item.attrs["name"])

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as stream, h5py.File(stream) as file:
        file.visititems(look)
    return found


def plain(value):
    """A config without the numbers of shared objects, which are addresses in files of keras."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if key != "shared_object_id"}
    return [plain(one) for one in value] if isinstance(value, list) else value


def differences(first, second, path=""):
    if isinstance(first, dict) and isinstance(second, dict):
        return [
            line
            for key in sorted({*first, *second})
            for line in (
                differences(first[key], second[key], f"{path}/{key}")
                if key in first and key in second
                else [f"{path}/{key}: only in {'ours' if key in second else 'theirs'}"]
                if (second if key in second else first)[key] is not None  # an argument left at None may be left out
                else []
            )
        ]
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = enumerate(zip(first, second, strict=True))
        return [line for number, pair in pairs for line in differences(*pair, f"{path}/{number}")]
    return [] if first == second else [f"{path}: {str(first)[:80]} != {str(second)[:80]}"]


KERAS_PROGRAM = """
folder, golden, names, reread = given
result = {}
for name in names:
    values = np.load(f"{golden}/{name}.npz")
    ins, outs = ([values[k] for k in sorted(values.files) if k.startswith(kind)] for kind in ("in", "out"))
    outs = [np.array(one) for one in reread[name]] if name in reread else outs
    for kind in (".keras", ".weights.h5", ".h5"):
        try:
            if kind == ".weights.h5":
                model = keras.saving.load_model(f"{golden}/{name}.keras")
                model.load_weights(f"{folder}/{name}.weights.h5")
            else:
                model = keras.saving.load_model(f"{folder}/{name}{kind}")
            places = model.get_config().get("input_layers")
            given = dict(zip(sorted(places), ins)) if isinstance(places, dict) else ins[0] if len(ins) == 1 else ins
            found = keras.tree.flatten(model(given, training=False))
            result[name + kind] = max(float(np.abs(np.asarray(a) - b).max()) for a, b in zip(found, outs))
        except Exception as problem:
            result[name + kind] = str(problem)[:2000]
print(json.dumps(result))
"""


def test_keras_opens_what_we_write(shared, tmp_path):
    for name in NAMES:
        model = saving.load_model(shared / "golden" / f"{name}.keras")
        model.save(tmp_path / f"{name}.keras")
        model.save_weights(tmp_path / f"{name}.weights.h5")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the format is an old one
            model.save(tmp_path / f"{name}.h5")
    given = [str(tmp_path), str(shared / "golden"), NAMES, REREAD]
    result = keras_oracle.tell(KERAS_PROGRAM, given, keep=False)
    # keras itself cannot read a graph of ops from its older format, not even its own file
    assert "Square" in str(result.pop("raw_ops_graph.h5"))
    wrong = {key: value for key, value in result.items() if not (isinstance(value, float) and value <= TOLERANCE)}
    assert wrong == {}
    assert len(result) == 3 * len(NAMES) - 1
