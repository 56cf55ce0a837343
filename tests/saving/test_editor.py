"""KerasFileEditor: what a file holds, compared and changed."""

import numpy as np
import pytest

from hornbeam import saving


@pytest.fixture
def model(fakes):
    return fakes.Fake("m", layers=[fakes.Dense(3, "a"), fakes.Dense(2, "b"), fakes.Fake("deep", inner=fakes.Dense(1))])


@pytest.fixture(params=[".weights.h5", ".keras"])
def editor(request, model, tmp_path):
    path = tmp_path / f"m{request.param}"
    (saving.save_weights if request.param == ".weights.h5" else saving.save_model)(model, path)
    return saving.KerasFileEditor(path)


def test_what_is_in_the_file(editor, capsys):
    shapes = {
        path: {name: one.shape for name, one in arrays.items()} for path, arrays in editor.weights_dict.items()
    }
    assert shapes == {
        "layers/dense": {"0": (2, 3), "1": (3,)},
        "layers/dense_1": {"0": (2, 2), "1": (2,)},
        "layers/fake/inner": {"0": (2, 1), "1": (1,)},
    }
    editor.summary()
    assert "layers/fake/inner" in capsys.readouterr().out


def test_compare(editor, model, fakes, capsys):
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 6}
    model.layers[1] = fakes.Dense(5, "b")
    del model.layers[2]
    assert editor.compare(model) == {"status": "error", "error_count": 3, "match_count": 2}
    assert "(2, 5)" in capsys.readouterr().out


def test_changes_are_written_and_loaded(editor, fakes, tmp_path):
    editor.rename_object("layers/dense_1", "other")
    editor.rename_object("layers/fake", "renamed")
    editor.delete_weight("other", "1")
    editor.add_weights("/layers/other", {"1": np.full(2, 7.0, "float32")})
    editor.delete_object("layers/dense")
    editor.add_object("layers/dense", {"0": np.full((2, 4), 3.0, "float32"), "1": np.zeros(4, "float32")})
    editor.save(tmp_path / "changed.weights.h5")

    class Other(fakes.Dense):
        pass

    class Renamed(fakes.Fake):
        pass

    model = fakes.Fake("m", layers=[fakes.Dense(4), Other(2), Renamed("deep", inner=fakes.Dense(1))])
    saving.load_weights(model, tmp_path / "changed.weights.h5")
    assert (model.layers[0].values()[0] == 3).all()
    assert (model.layers[1].values()[1] == 7).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda editor: editor.rename_object("nope", "x"),
        lambda editor: editor.rename_object("layers/dense", "a/b"),
        lambda editor: editor.rename_object("layers/dense", "../b"),
        lambda editor: editor.rename_object("layers/dense", "dense_1"),
        lambda editor: editor.delete_object("nope"),
        lambda editor: editor.delete_weight("layers/dense", "9"),
        lambda editor: editor.add_weights("nope", {}),
        lambda editor: editor.add_object("layers/dense", {}),
        lambda editor: editor.add_object("../up", {}),
        lambda editor: editor.save("x.keras"),
        lambda editor: saving.KerasFileEditor("x.bin"),
    ],
)
def test_mistakes(call, editor):
    before = dict(editor.weights_dict)
    with pytest.raises(ValueError, match="expected"):
        call(editor)
    assert editor.weights_dict == before
