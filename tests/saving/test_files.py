"""Saving and loading whole: what is written where, what a failure leaves behind, and what errors say."""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest

from hornbeam import saving
from hornbeam._wire import keras_version
from hornbeam.backend import active
from hornbeam.saving import archive, weights
from hornbeam.variable import Variable


@pytest.fixture
def model(fakes):
    return Saved(fakes)


def Saved(fakes, units=3, **changes):
    """A model that makes its own parts, as a model from a file does."""

    class Model(fakes.FakeModel):
        def __init__(self, name="m", units=units, **given):
            super().__init__(name)
            self.units = units
            self.first, self.more = fakes.Dense(units, "first"), [fakes.Dense(2, "second")]

        def _children(self):
            return [(key, value) for key, value in super()._children() if key != "units"]

        def get_config(self):
            return {"name": self.name, "units": self.units}

    return Model(**changes)


def numbers(model):
    return [value for part in (model.first, model.more[0]) for value in part.values()]


def fill(model, start=0.0):
    for index, one in enumerate([*model.first._own, *model.more[0]._own]):
        one.assign(np.full(one.shape, start + index, "float32"))


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


FORMATS = [".keras", ".weights.h5", ".weights.json"]


def write(model, path):
    if path.name.endswith(".keras"):
        saving.save_model(model, path)
    else:
        saving.save_weights(model, path, max_shard_size=1e-8 if path.suffix == ".json" else None)


@pytest.mark.parametrize("ending", FORMATS)
def test_weights_round_trip(ending, model, fakes, tmp_path):
    fill(model)
    path = tmp_path / f"m{ending}"
    write(model, path)
    other = Saved(fakes)
    saving.load_weights(other, str(path))
    assert same(numbers(other), numbers(model))


def test_a_model_comes_back_whole(model, tmp_path):
    fill(model)
    path = tmp_path / "m.keras"
    saving.save_model(model, path)
    again = saving.load_model(path, {"Model": type(model)})
    assert same(numbers(again), numbers(model))
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert all(one.compress_type == zipfile.ZIP_STORED for one in file.infolist())
        about = json.loads(file.read("metadata.json"))
    assert about["keras_version"] == keras_version
    assert set(about) == {"keras_version", "date_saved", "hornbeam_version"}


def test_equal_models_give_equal_bytes(model, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_metadata", lambda: {"keras_version": "3.15.1"})
    for name in ("a", "b"):
        saving.save_model(model, tmp_path / f"{name}.keras")
        saving.save_weights(model, tmp_path / f"{name}.weights.h5")
    for ending in (".keras", ".weights.h5"):
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_a_folder_instead_of_a_zip(model, tmp_path):
    fill(model)
    for _ in range(2):  # the second takes the place of the first
        saving.save_model(model, tmp_path / "folder", zipped=False)
    assert sorted(one.name for one in (tmp_path / "folder").iterdir()) == [
        "assets", "config.json", "metadata.json", "model.weights.h5",
    ]
    assert same(numbers(saving.load_model(tmp_path / "folder", {"Model": type(model)})), numbers(model))
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_shards_are_small_and_complete(model, fakes, tmp_path):
    fill(model)
    saving.save_weights(model, tmp_path / "m.weights.h5", max_shard_size=30 / 2**30)
    index = json.loads((tmp_path / "m.weights.json").read_text())
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "m.weights.json", "m_00000.weights.h5", "m_00001.weights.h5",
    ]
    assert index["weight_map"]["/first/vars"] == ["m_00000.weights.h5"]
    (tmp_path / "m_00001.weights.h5").unlink()
    before = numbers(model)
    with pytest.raises(FileNotFoundError):
        saving.load_weights(model, tmp_path / "m.weights.json")
    assert same(numbers(model), before)


# --- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("when", ["an object raises", "the disk is full"])
def test_a_failed_save_leaves_the_old_file(ending, when, model, fakes, tmp_path, monkeypatch):
    path = tmp_path / f"m{ending}"
    fill(model)
    write(model, path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    if when == "an object raises":
        monkeypatch.setattr(model.more[0], "save_own_variables", lambda store: 1 / 0)
    else:

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(weights, "write_array", full)
    with pytest.raises((OSError, ZeroDivisionError)):
        write(model, path)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_an_interrupt_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "m.keras"
    saving.save_model(model, path)
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "write_array", interrupt)
    with pytest.raises(KeyboardInterrupt):
        saving.save_model(model, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.keras"]


def test_a_link_stays_a_link(model, tmp_path):
    (tmp_path / "real.keras").write_bytes(b"old")
    (tmp_path / "link.keras").symlink_to(tmp_path / "real.keras")
    saving.save_model(model, tmp_path / "link.keras")
    assert (tmp_path / "link.keras").is_symlink()
    assert (tmp_path / "real.keras").read_bytes()[:2] == b"PK"


def test_a_file_is_as_readable_as_the_user_wants(model, tmp_path):
    old = os.umask(0o022)
    try:
        saving.save_model(model, tmp_path / "m.keras")
    finally:
        os.umask(old)
    assert (tmp_path / "m.keras").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kind", [".keras", ".weights.h5"])
def test_a_failed_load_changes_nothing(kind, model, fakes, tmp_path):
    path = tmp_path / f"m{kind}"
    fill(model, 50.0)
    write(model, path)
    other = Saved(fakes)
    other.more[0] = fakes.Dense(7, "second")  # the first layer fits, the second does not
    before = numbers(other)
    with pytest.raises(ValueError) as caught:
        saving.load_weights(other, path)
    assert same(numbers(other), before)
    for part in ("second", "(2, 7)", "(2, 2)", "No variable has changed", "skip_mismatch=True", path.name):
        assert part in str(caught.value)


def test_skip_mismatch_loads_the_rest_and_warns(model, fakes, tmp_path):
    path = tmp_path / "m.weights.h5"
    fill(model, 50.0)
    write(model, path)
    other = Saved(fakes)
    other.more[0] = fakes.Dense(7, "second")
    with pytest.warns(UserWarning, match=r"second.*\(2, 7\)"):
        saving.load_weights(other, path, skip_mismatch=True)
    assert same(other.first.values(), model.first.values())
    assert all((one == 0.5).all() for one in other.more[0].values())


def test_an_object_that_fails_half_way_is_left_as_it_was(model, fakes, tmp_path):
    path = tmp_path / "m.weights.h5"
    fill(model, 50.0)
    write(model, path)
    other = Saved(fakes)

    def half(store):
        other.first._own[0].assign(store["0"])
        raise RuntimeError("half way")

    other.first.load_own_variables = half
    with pytest.warns(UserWarning, match="RuntimeError: half way"):
        saving.load_weights(other, path, skip_mismatch=True)
    assert (other.first.values()[0] == 0.5).all()
    assert same(other.more[0].values(), model.more[0].values())


def test_objects_to_skip(model, fakes, tmp_path):
    path = tmp_path / "m.weights.h5"
    fill(model, 50.0)
    write(model, path)
    other = Saved(fakes)
    saving.load_weights(other, path, objects_to_skip=[other.first])
    assert (other.first.values()[0] == 0.5).all()
    assert same(other.more[0].values(), model.more[0].values())


def test_weights_that_the_model_has_no_place_for_are_named(model, fakes, tmp_path):
    path = tmp_path / "m.weights.h5"
    write(model, path)
    other = Saved(fakes)
    del other.more
    with pytest.warns(UserWarning, match="'layers/dense_1'"):
        saving.load_weights(other, path)


def test_the_state_of_another_optimizer_is_left_out_with_a_warning(model, fakes, tmp_path):
    class Optimizer(fakes.Fake):
        tracked_kind = "optimizer"

    path = tmp_path / "m.weights.h5"
    fill(model)
    model.optimizer = Optimizer("adam", [(), (2, 3)])
    write(model, path)
    other = Saved(fakes)
    saving.load_weights(other, path)  # not compiled: nothing to say
    other.optimizer = Optimizer("sgd", [()])
    with pytest.warns(UserWarning, match="optimizer"):
        saving.load_weights(other, path)
    assert same(numbers(other), numbers(model))
    del model.optimizer
    write(model, path)
    saving.load_weights(other, path)  # the file has no optimizer
    assert h5py.File(path)["vars"].attrs["name"] == "m"


# --- stores ------------------------------------------------------------------------------------------------------


def test_own_names_and_dtypes_in_a_store(fakes, tmp_path):
    import ml_dtypes

    values = {
        "text_like_name": np.arange(3), "scalar": 3, "float": 1.5, "bool": True, "empty": np.zeros((0, 2)),
        "half": np.ones(2, "float16"), "brain": np.array([1.5, 2.0], ml_dtypes.bfloat16),
        "brain0": np.array(1.5, ml_dtypes.bfloat16), "eight": np.array([1.5], ml_dtypes.float8_e4m3fn),
        "big_endian": np.arange(3, dtype=">f4"), "variable": Variable([1.0, 2.0]), "tensor": active.asarray([1.0]),
        "strided": np.arange(6.0).reshape(2, 3).T,
    }
    seen = {}

    class Own(fakes.Fake):
        def save_own_variables(self, store):
            assert len(store) == 0
            for name, value in values.items():
                store[name] = value
            assert store["scalar"] == 3 and set(store.keys()) == set(values)

        def load_own_variables(self, store):
            assert set(store.keys()) == set(values) == set(store)
            assert "scalar" in store and "other" not in store and len(store) == len(values)
            with pytest.raises(KeyError):
                store["other"]
            assert store.get("other") is None
            seen.update(store.items())

    saving.save_weights(Own(), tmp_path / "o.weights.h5")
    saving.load_weights(Own(), tmp_path / "o.weights.h5")
    for name, value in values.items():
        expected = value.numpy() if isinstance(value, Variable) else np.asarray(value)
        assert seen[name].shape == expected.shape
        assert np.array_equal(seen[name].astype("float32"), expected.astype("float32")), name
    assert seen["brain"].dtype == ml_dtypes.bfloat16
    assert seen["eight"].dtype == ml_dtypes.float8_e4m3fn
    with h5py.File(tmp_path / "o.weights.h5") as file:
        assert file["vars/brain"].attrs["dtype"] == "bfloat16"


@pytest.mark.parametrize("name, value", [("a/b", 1), ("", 1), (".", 1), ("a", "text"), ("a", object()), ("a", {1: 2})])
def test_a_store_refuses_what_a_file_cannot_hold(name, value, fakes, tmp_path):
    class Own(fakes.Fake):
        def save_own_variables(self, store):
            store[name] = value

    with pytest.raises((TypeError, ValueError), match="save_own_variables"):
        saving.save_weights(Own(), tmp_path / "o.weights.h5")
    assert list(tmp_path.iterdir()) == []


# --- paths and arguments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m", "m.txt", "m.pt", "m.keras.zip"])
def test_wrong_endings_to_save(name, model, tmp_path):
    with pytest.raises(ValueError, match=r"'\.keras'"):
        saving.save_model(model, tmp_path / name)
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        saving.save_weights(model, tmp_path / name)
    with pytest.raises(ValueError, match=r"\.keras"):
        saving.load_model(tmp_path / name)
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        saving.load_weights(model, tmp_path / name)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.hdf5"])
def test_missing_models(name, model, tmp_path):
    (tmp_path / f"other.{name.split('.')[1]}").write_bytes(b"")
    for kind in (ValueError, FileNotFoundError):
        with pytest.raises(kind, match="no such file"):
            saving.load_model(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="there is: other"):
        saving.load_model(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        saving.load_weights(model, tmp_path / "x.weights.h5")


def test_missing_folders(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="Make the folder"):
        saving.save_model(model, tmp_path / "no" / "m.keras")
    with pytest.raises(FileNotFoundError):
        saving.save_weights(model, tmp_path / "no" / "m.weights.h5")


@pytest.mark.parametrize("path", [3, None, io.BytesIO()])
def test_what_is_no_path(path, model):
    for call in (saving.save_model, saving.save_weights, saving.load_weights):
        with pytest.raises(TypeError, match="a path"):
            call(model, path)


def test_existing_files_are_kept_if_asked(model, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for path, save in ((tmp_path / "m.keras", saving.save_model), (tmp_path / "m.weights.h5", saving.save_weights)):
        path.write_bytes(b"old")
        with pytest.raises(ValueError, match="overwrite=True"):
            save(model, path, overwrite=False)
        assert path.read_bytes() == b"old"
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", terminal)
        answers = iter(["what?", "n", "y"])
        monkeypatch.setattr("builtins.input", lambda _: next(answers))
        save(model, path, overwrite=False)
        assert path.read_bytes() == b"old"
        save(model, path, overwrite=False)
        assert path.read_bytes() != b"old"
        monkeypatch.setattr("sys.stdin", io.StringIO(""))


def test_unknown_arguments(model, tmp_path):
    with pytest.raises(ValueError, match="foo"):
        saving.save_model(model, tmp_path / "m.keras", foo=1)
    with pytest.raises(ValueError, match="save_format"):
        saving.save_model(model, tmp_path / "m.keras", save_format="h5")
    saving.save_model(model, tmp_path / "m.keras", save_format="keras")
    saving.save_weights(model, tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="by_name"):
        saving.load_weights(model, tmp_path / "m.weights.h5", by_name=True)
    with pytest.raises(ValueError, match="foo"):
        saving.load_weights(model, tmp_path / "m.weights.h5", foo=True)


def test_models_that_are_not_built(model, tmp_path):
    saving.save_weights(model, tmp_path / "m.weights.h5")
    model.built = False
    with pytest.raises(ValueError, match="not built"):
        saving.save_weights(model, tmp_path / "x.weights.h5")
    with pytest.raises(ValueError, match="not built"):
        saving.load_weights(model, tmp_path / "m.weights.h5")
    with pytest.warns(UserWarning, match="no weights to save yet"):
        saving.save_model(model, tmp_path / "m.keras")


def test_what_is_no_model(tmp_path):
    with pytest.raises(TypeError, match="a model or a layer"):
        saving.save_model({}, tmp_path / "m.keras")
    with pytest.raises(TypeError, match="a model or a layer"):
        saving.save_weights(3, tmp_path / "m.weights.h5")


def test_a_config_that_is_no_model(tmp_path, model):
    path = tmp_path / "m.keras"
    saving.save_model(model, path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", '{"class_name": "__slice__", "config": {"start": 1, "stop": 2, "step": 3}}')
    with pytest.raises(ValueError, match="a model or a layer"):
        saving.load_model(path)
