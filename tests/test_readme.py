"""What the README says works: its program runs, its links lead somewhere, its commands exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import needs_gradients

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"]


@needs_gradients
def test_the_program_runs(tmp_path, shared):
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").symlink_to(shared / "data" / "mnist.npz")
    environment = {
        **os.environ,
        "KERAS_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "KERAS_MAX_EPOCHS": "1",
        "KERAS_MAX_STEPS_PER_EPOCH": "400",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    accuracy = float(re.search(r"'accuracy': ([0-9.]+)", done.stdout)[1])
    assert accuracy > 0.85
    assert (tmp_path / "digits.keras").exists()


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text()
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    missing = [one for one in links if "://" not in one and not ((ROOT / name).parent / one).exists()]
    assert not missing


@pytest.mark.parametrize("name", TEXTS)
def test_lines_are_whole(name):
    assert not [line for line in (ROOT / name).read_text().splitlines() if len(line) > 125 or line != line.rstrip()]


@pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for a POSIX shell")
@pytest.mark.parametrize("script", ["demo", "test", ".ci/environment.sh"])
def test_scripts_are_posix(script):
    subprocess.run(["sh", "-n", str(ROOT / script)], check=True, timeout=10)
    if script in ("demo", "test"):
        assert os.access(ROOT / script, os.X_OK)


def test_commands_of_the_readme_exist():
    from hornbeam.cli.main import _parser

    commands = re.findall(r"python -m hornbeam ([^`]*)`", (ROOT / "README.md").read_text())
    assert len(commands) >= 4
    for command in commands:
        _parser().parse_args(command.split())
