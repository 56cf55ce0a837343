"""`hornbeam info`, the version, and how wrong command lines are answered."""

import json

import pytest

from hornbeam.cli.main import main


def test_installation(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for part in ("hornbeam", "Python", "numpy", "optree", "backend", "devices", "cache"):
        assert part in out
    assert "\x1b" not in out


def test_api_counts(capsys):
    assert main(["info", "--api"]) == 0
    out = capsys.readouterr().out
    assert "keras.layers" in out and "keras.ops" in out and "1439" in out


def test_one_namespace_and_what_is_missing(capsys, tmp_path):
    names = {
        "keras.utils.get_file": ["function", ["fname=None", "origin=None"]],
        "keras.utils.pad_sequences": ["function", ["sequences", "nothing=None"]],
        "keras.utils.no_such_thing": ["function", []],
        "keras.layers.Dense": ["class", []],
    }
    (tmp_path / "names.json").write_text(json.dumps(names))
    words = ["info", "--api", "--missing", "--namespace", "utils", "--names", str(tmp_path / "names.json")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith("│ keras.utils"))
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["keras.utils", "3", "2", "1"]
    assert "differs keras.utils.pad_sequences: no parameter 'nothing'" in lines
    assert "missing keras.utils.no_such_thing" in lines
    assert not any("Dense" in line for line in lines)


def test_unknown_namespace(capsys):
    assert main(["info", "--namespace", "layrs"]) == 2
    assert "keras.layers" in capsys.readouterr().err


def test_missing_list(capsys, tmp_path):
    assert main(["info", "--api", "--names", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["nonsense"], ["demo", "--epochs", "0"], ["demo", "--dataset", "cats"], ["run"]])
def test_wrong_words(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: hornbeam" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("hornbeam 0.")
