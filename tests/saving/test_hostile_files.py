"""Files that attack: each is refused with a clear error, and nothing of the model or the machine is changed.

The cases follow the published attacks on Keras's formats (CVE numbers at the cases).
"""

import contextlib
import json
import zipfile

import h5py
import numpy as np
import pytest

from hornbeam import saving
from hornbeam.errors import HornbeamError
from hornbeam.saving import config, registration
from hornbeam.saving.config import deserialize_keras_object

SECRET = "the secret of another file"


@pytest.fixture
def model(fakes):
    return fakes.Fake(name="model", d=fakes.Dense(3, "d"))


@pytest.fixture
def weights_file(model, tmp_path):
    path = tmp_path / "model.weights.h5"
    saving.save_weights(model, path)
    return path


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["kernel"] = np.full((2, 3), 42.0, "float32")
        file.create_group("vars")["0"] = np.full((2, 3), 42.0, "float32")
    (tmp_path / "secret.bin").write_bytes(np.full((2, 3), 42.0, "float32").tobytes())
    return path


# --- weights -----------------------------------------------------------------------------------------------------


def external_link(vars_group, folder):  # CVE-2026-1669, CVE-2026-9335
    vars_group["0"] = h5py.ExternalLink(str(folder / "secret.h5"), "/kernel")


def soft_link(vars_group, folder):  # CVE-2026-9335
    vars_group.file["elsewhere"] = np.zeros((2, 3), "float32")
    vars_group["0"] = h5py.SoftLink("/elsewhere")


def external_storage(vars_group, folder):  # CVE-2026-1669
    vars_group.create_dataset("0", (2, 3), "float32", external=[(str(folder / "secret.bin"), 0, 24)])


def virtual_dataset(vars_group, folder):  # CVE-2026-12480
    layout = h5py.VirtualLayout((2, 3), "float32")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "kernel", (2, 3))
    vars_group.create_virtual_dataset("0", layout)


def shape_bomb(vars_group, folder):  # CVE-2026-0897, CVE-2026-12570
    vars_group.create_dataset("0", (2**25, 2**25), "float32", chunks=(1024, 1024))


def bomb_without_chunks(vars_group, folder):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_INCR)
    space = h5py.h5s.create_simple((2**30,))
    h5py.h5d.create(vars_group.id, b"0", h5py.h5t.IEEE_F32LE, space, plist)


def compression_bomb(vars_group, folder):
    vars_group.create_dataset("0", (2, 2**27), "float32", compression="gzip", fillvalue=0, chunks=True)


def strings(vars_group, folder):
    vars_group.create_dataset("0", data=np.array([b"ab", "cd"], dtype=h5py.string_dtype()))


def references(vars_group, folder):
    vars_group.create_dataset("0", data=np.array([vars_group.ref], dtype=h5py.ref_dtype))


def wrong_shape(vars_group, folder):
    vars_group["0"] = np.zeros((3, 2), "float32")


def wrong_count(vars_group, folder):
    vars_group["2"] = np.zeros((3,), "float32")


def group_in_place_of_data(vars_group, folder):
    vars_group.create_group("0")


def unknown_dtype(vars_group, folder):
    data = vars_group.create_dataset("0", data=np.zeros((2, 3), "V2"))
    data.attrs["dtype"] = "__import__"


def dtype_of_other_size(vars_group, folder):
    data = vars_group.create_dataset("0", data=np.zeros((2, 3), "V16"))
    data.attrs["dtype"] = "bfloat16"


ATTACKS = [
    external_link, soft_link, external_storage, virtual_dataset, shape_bomb, bomb_without_chunks, compression_bomb,
    strings, references, wrong_shape, wrong_count, group_in_place_of_data, unknown_dtype, dtype_of_other_size,
]


def attack(path, change, folder):
    with h5py.File(path, "r+") as file:
        group = file["d/vars"]
        if change is not wrong_count:
            del group["0"]
        change(group, folder)


@pytest.mark.parametrize("change", ATTACKS)
def test_hostile_weights_are_refused_and_change_nothing(change, model, weights_file, secret, tmp_path):
    attack(weights_file, change, tmp_path)
    before = model.d.values()
    with pytest.raises(HornbeamError) as caught:
        saving.load_weights(model, weights_file)
    assert "model.weights.h5" in str(caught.value)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.d.values(), strict=True))


@pytest.mark.parametrize("change", ATTACKS)
def test_hostile_weights_inside_an_archive(change, model, weights_file, secret, fakes, tmp_path):
    attack(weights_file, change, tmp_path)
    path = tmp_path / "model.keras"
    saving.save_model(model, path)
    rewritten(path, {"model.weights.h5": weights_file.read_bytes()})
    with pytest.raises(HornbeamError):
        saving.load_model(path, {"Fake": lambda_free(fakes)})
    with pytest.raises(HornbeamError):
        saving.load_weights(model, path)


def lambda_free(fakes):
    class Fake(fakes.Fake):
        @classmethod
        def from_config(cls, config):
            return cls(**config, d=fakes.Dense(3, "d"))

    return Fake


def test_links_of_groups_are_not_followed(model, weights_file, secret):
    with h5py.File(weights_file, "r+") as file:
        del file["d"]
        file["d"] = h5py.ExternalLink(str(secret), "/")
    with pytest.raises(ValueError, match="ExternalLink"):
        saving.load_weights(model, weights_file)


def test_datasets_that_share_their_bytes_do_not_add_up(fakes, tmp_path):
    # 40 links to one array: each alone is honest, together they are many times the file
    model = fakes.Fake(layers=[fakes.Fake("f", [(256, 1024)]) for _ in range(40)])
    path = tmp_path / "model.weights.h5"
    saving.save_weights(fakes.Fake(layers=[fakes.Fake("f", [(256, 1024)])]), path)
    with h5py.File(path, "r+") as file:
        for number in range(1, 40):
            file.create_group(f"layers/fake_{number}/vars")["0"] = file["layers/fake/vars/0"]
    with pytest.raises(ValueError, match="exhaust the memory"):
        saving.load_weights(model, path)


def test_a_shard_index_names_no_other_folder(model, tmp_path):
    path = tmp_path / "model.weights.json"
    path.write_text(json.dumps({"weight_map": {"/d/vars": ["../secret.h5"]}}))
    with pytest.raises(ValueError, match=r"plain relative names|same folder"):
        saving.load_weights(model, path)


# --- archives ----------------------------------------------------------------------------------------------------


def rewritten(path, changes):
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members.update(changes)
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            if data is not None:
                new.writestr(name, data)


@pytest.fixture
def saved(fakes, tmp_path):
    path = tmp_path / "saved.keras"
    saving.save_model(fakes.Dense(3, "d"), path)
    return path


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "/etc/evil", "assets/../../evil", "C:\\evil", "assets\\evil", "c:evil", "assets//evil", "a\x01b"],
)
def test_names_that_lead_out_of_the_archive(name, saved, fakes):  # CVE-2026-11816 and others
    with zipfile.ZipFile(saved, "a") as file:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        file.writestr(info, "evil")
    with pytest.raises(ValueError, match="plain relative names"):
        saving.load_model(saved, {"Dense": fakes.Dense})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_come_twice(saved, fakes):
    with zipfile.ZipFile(saved, "a") as file:
        file.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="twice"):
        saving.load_model(saved, {"Dense": fakes.Dense})


def test_symbolic_links(saved, fakes):  # CVE-2026-12482
    with zipfile.ZipFile(saved, "a") as file:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match="symbolic link"):
        saving.load_model(saved, {"Dense": fakes.Dense})


def test_zip_bombs(saved, fakes):
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as file, file.open("assets/zeros", "w") as member:
        for _ in range(300):
            member.write(bytes(2**20))
    assert saved.stat().st_size < 2**20
    with pytest.raises(ValueError, match="exhaust the memory"):
        saving.load_model(saved, {"Dense": fakes.Dense})


def test_sizes_that_lie(saved, fakes):
    # the directory says the member is small: no more than that is read
    data = bytearray(saved.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    saved.write_bytes(bytes(data))
    with pytest.raises(OSError, match=r"damaged|whole"):
        saving.load_model(saved, {"Dense": fakes.Dense})


@pytest.mark.parametrize("text", [b"{", b"", b"[]", b"3", b'{"class_name": "Dense"', b"\xff\xfe"])
def test_broken_configs(text, saved, fakes):
    rewritten(saved, {"config.json": text})
    with pytest.raises(OSError):
        saving.load_model(saved, {"Dense": fakes.Dense})


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_configs_nested_without_end(depth, saved, fakes):
    rewritten(saved, {"config.json": b'{"a":' * depth + b"1" + b"}" * depth})
    with pytest.raises(ValueError):
        saving.load_model(saved, {"Dense": fakes.Dense})


def test_assets_reach_only_their_folder(fakes, tmp_path):  # CVE-2026-12479
    class Vocabulary(fakes.Fake):
        def save_assets(self, folder):
            with open(f"{folder}/words.txt", "w") as file:
                file.write("one two")

        def load_assets(self, folder):
            with open(f"{folder}/words.txt") as file:
                self.name = file.read()

    path = tmp_path / "v.keras"
    saving.save_model(Vocabulary("../../evil"), path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["v.keras"]
    assert zipfile.ZipFile(path).namelist()[-1] == "assets/words.txt"
    assert saving.load_model(path, {"Vocabulary": Vocabulary}).name == "one two"


# --- configs -----------------------------------------------------------------------------------------------------


def wired(module, class_name, config=None, registered_name=None):
    return {"module": module, "class_name": class_name, "config": config or {}, "registered_name": registered_name}


@pytest.mark.parametrize(
    "value",
    [
        wired("os", "system", {"command": "true"}),  # CVE-2025-1550
        wired("builtins", "eval", {"source": "1"}),
        wired("subprocess", "run", {"args": ["true"]}),
        wired("keras.utils", "get_file", {"fname": "x", "origin": "http://127.0.0.1"}),  # CVE-2025-8747
        wired("keras.src.utils.file_utils", "get_file", {"fname": "x"}),
        wired("keras.saving", "load_model", {"filepath": "x.keras", "safe_mode": False}),
        wired("keras.models", "load_model", {"filepath": "x.keras", "safe_mode": False}),
        wired("keras.config", "enable_unsafe_deserialization"),  # CVE-2025-9906
        wired("keras.src.config", "enable_unsafe_deserialization"),
        wired("hornbeam.saving.config", "enable_unsafe_deserialization"),
        wired("keras.datasets.mnist", "load_data"),
        wired("keras.callbacks", "CSVLogger", {"filename": "x"}),
        wired("keras", "__builtins__"),
        wired("keras.layers", "__class__"),
        wired("keras.layers.layer", "importlib.import_module"),
        wired("keras.src.ops.numpy", "np.load"),
        wired("", "Popen", registered_name="subprocess>Popen"),
        wired(None, "function"),
        wired("keras", "Variable", {"initializer": [1.0]}),
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
        {"module": "builtins", "class_name": "function", "config": "__import__", "registered_name": "function"},
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"},
        {"module": "builtins", "class_name": "function", "config": "get_file", "registered_name": "function"},
        {"module": "builtins", "class_name": "function", "config": ["relu"], "registered_name": "function"},
        {"module": "builtins", "class_name": "type", "config": "subprocess.Popen", "registered_name": "type"},
        {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}},
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}},
        {"class_name": "__slice__", "config": 3},
        {"class_name": "__tensor__", "config": {}},
        {"class_name": "__bytes__", "config": {"value": 3}},
        {"class_name": "__keras_tensor__", "config": {"shape": "abc", "dtype": "float32"}},
    ],
    ids=lambda value: f"{value.get('module')}.{value['class_name']}-{str(value['config'])[:20]}",
)
def test_names_outside_the_allowlist(value):
    with pytest.raises((TypeError, ValueError)):
        deserialize_keras_object(value)
    with pytest.raises((TypeError, ValueError)):
        deserialize_keras_object({"nested": [value]}, safe_mode=False)


LAMBDAS = [
    {"class_name": "__lambda__", "config": {"value": ["4wAA", None, None]}},
    {"class_name": "__lambda__", "config": {"code": "4wAA", "defaults": None, "closure": None}},
]


@pytest.mark.parametrize("safe_mode", [True, None, 0, ""])
@pytest.mark.parametrize("value", LAMBDAS)
def test_code_in_configs_needs_an_explicit_false(value, safe_mode):  # CVE-2024-3660, CVE-2026-12481
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize_keras_object(value, safe_mode=safe_mode)
    with pytest.raises(ValueError, match="safe_mode=False"):
        config.deserialize_value([value])


def test_an_inner_load_cannot_loosen_the_outer(fakes):  # CVE-2025-8747
    @saving.register_keras_serializable("hostile")
    class Nest(fakes.Fake):
        @classmethod
        def from_config(cls, given):
            return deserialize_keras_object(given["inner"], safe_mode=False)

    value = wired("x", "Nest", {"inner": LAMBDAS[0]}, "hostile>Nest")
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize_keras_object(value)
    registration.get_custom_objects().pop("hostile>Nest")


def test_safe_mode_ends_with_the_load():
    assert config.in_safe_mode()
    with config.loading(False):
        assert not config.in_safe_mode()
    with config.loading(True), config.loading(False):
        assert config.in_safe_mode()
    assert config.in_safe_mode()


def test_legacy_files_obey_safe_mode(tmp_path):  # CVE-2025-9905
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Fake", "config": {"x": LAMBDAS[0]}})
        file.create_group("model_weights").attrs["layer_names"] = []

    class Fake:
        def get_config(self):
            return {}

        @classmethod
        def from_config(cls, given):
            return deserialize_keras_object(given["x"], safe_mode=False)

    with pytest.raises(ValueError, match="safe mode"):
        saving.load_model(path, {"Fake": Fake})


def test_nothing_is_imported_by_name(tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("evil_module", "keras.evil_module", "hornbeam.evil_module"):
        with pytest.raises(TypeError, match="registered"):
            deserialize_keras_object(wired(name, "Evil"), safe_mode=False)
    assert not (tmp_path / "ran").exists()


# --- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0, 1, 10, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["keras", "weights.h5", "h5"])
def test_truncated_files(kind, part, model, fakes, tmp_path):
    path = tmp_path / f"m.{kind}"
    if kind == "keras":
        saving.save_model(model, path)
    elif kind == "weights.h5":
        saving.save_weights(model, path)
    else:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = "{}"
            file["big"] = np.zeros(5000)
    whole = path.read_bytes()
    path.write_bytes(whole[: part if isinstance(part, int) else int(len(whole) * part)])
    before = model.d.values()
    with pytest.raises(OSError, match=r"damaged|truncated|empty|another kind"):
        if kind == "weights.h5":
            saving.load_weights(model, path)
        else:
            saving.load_model(path)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.d.values(), strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_never_crash_or_leak(seed, model, weights_file):
    data = bytearray(weights_file.read_bytes())
    generator = np.random.default_rng(seed)
    for position in generator.integers(8, len(data), 12):
        data[position] = generator.integers(0, 256)
    weights_file.write_bytes(bytes(data))
    with contextlib.suppress(HornbeamError):
        saving.load_weights(model, weights_file)
    assert [one.shape for one in model.d.values()] == [(2, 3), (3,)]


def test_a_stream_of_another_kind(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(OSError, match="git lfs pull"):
        saving.load_model(path)
    with zipfile.ZipFile(path, "w") as empty:
        empty.writestr("something.txt", "x")
    with pytest.raises(OSError, match=r"config\.json"):
        saving.load_model(path)
