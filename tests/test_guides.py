"""The guides work: the blocks of each run in order, as one program, in a folder of their own."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hornbeam.backend import active as backend
from hornbeam.backend.base import Backend
from tests.needs import needs_gradients

ROOT = Path(__file__).resolve().parents[1]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))

pytestmark = needs_gradients


def can_run(block: str) -> bool:
    """Whether the package that the block needs is there, and the backend is that for which it is written."""
    ((kind, name),) = re.findall(r"\A# (needs|backend): (\w+)\n", block) or [("", "")]
    if kind == "backend":
        return backend.name == name
    return not name or importlib.util.find_spec(name) is not None


def program_of(guide: Path) -> str:
    """The blocks one after the other, each at the line it has in the guide, so that errors point there."""
    lines: list[str] = []
    text = guide.read_text()
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if can_run(block[1]):
            lines += [""] * (text.count("\n", 0, block.start(1)) - len(lines)) + block[1].splitlines()
    return "\n".join(lines)


def test_there_are_guides():
    assert isinstance(backend, Backend) and len(GUIDES) >= 5


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_guide_runs(guide, tmp_path):
    script = tmp_path / guide.with_suffix(".py").name
    script.write_text(program_of(guide))
    done = subprocess.run(
        # torch has a remark on each tensor that becomes a number while it tracks gradients
        [sys.executable, "-W", "error", "-W", "ignore:Converting a tensor with requires_grad=True", script.name],
        capture_output=True, text=True, check=False, timeout=200, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HORNBEAM_BACKEND": backend.name},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_links_lead_somewhere(guide):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", guide.read_text())
    assert not [one for one in links if "://" not in one and not (guide.parent / one).exists()]
