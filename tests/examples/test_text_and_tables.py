"""The examples on texts and tables run on small slices of real data."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from tests.examples.programs import load
from tests.needs import needs_gradients

pytestmark = needs_gradients


def first_lines(source: Path, target: Path, count: int) -> Path:
    """A file with the first lines of another."""
    with source.open(encoding="utf-8") as file:
        target.write_text("".join(islice(file, count)), encoding="utf-8")
    return target


def test_sentences_are_told_apart(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    first_lines(shared / "data/sst2/train.tsv", tmp_path / "train.tsv", 3000)
    first_lines(shared / "data/sst2/dev.tsv", tmp_path / "dev.tsv", 300)
    assert load("text_classification").main(tmp_path, epochs=3, size=8000) > 0.65  # half by chance
    assert "long string of cliches" in capsys.readouterr().out


def test_incomes_are_told_apart(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = first_lines(shared / "data/adult.csv", tmp_path / "adult.csv", 5000)
    assert load("structured_data").main(file, epochs=5) > 0.8  # three quarters by chance
    assert "AUC" in capsys.readouterr().out


def test_the_rare_are_found(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = first_lines(shared / "data/mammography.csv", tmp_path / "mammography.csv", 6000)
    assert load("imbalanced_classification").main(file, epochs=6) > 0.2  # a fiftieth by chance
    assert "precision  recall" in capsys.readouterr().out


def test_a_text_is_continued(shared: Path, capsys: pytest.CaptureFixture) -> None:
    path = shared / "data/tinyshakespeare.txt"
    loss = load("character_language_model").main(path, epochs=8, units=48, characters=60_000, length=20)
    assert loss < 2.9  # 4.2 by chance, 3.3 by how common each character is
    assert "First Citize" in capsys.readouterr().out
