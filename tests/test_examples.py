"""Every `>>>` example in hornbeam runs and gives what it says, module by module, on every backend."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbeam import _config, scope
from hornbeam.backend import active as backend
from hornbeam.dtype_policies import dtype_policy, set_dtype_policy
from hornbeam.random import set_global_seed
from tests.examples_in_docstrings import OPTIONS, failures_of

ROOT = Path(__file__).resolve().parents[1]
# Examples of what not every backend can do, with the feature that they need.
NEEDS = {
    "hornbeam.training.trainer.Trainer.fit": "gradients",
    "hornbeam.tape.GradientTape": "gradients",
    "hornbeam.tape.GradientTape.jacobian": "gradients",
    "hornbeam.tape.GradientTape.watch": "gradients",
    "hornbeam.optimizers.optimizer.Optimizer.minimize": "gradients",
    "hornbeam.transforms.custom_gradient": "gradients",
    "hornbeam.transforms.grad": "gradients",
    "hornbeam.transforms.jit": "compile",
    "hornbeam.transforms.remat": "gradients",
    "hornbeam.transforms.value_and_grad": "gradients",
}
# Modules whose examples change the process for good; a process of their own runs these.
ALONE = {"hornbeam.install"}


def modules() -> list[str]:
    found = []
    for path in sorted((ROOT / "hornbeam").rglob("*.py")):
        if ">>> " in path.read_text():
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


@pytest.fixture(autouse=True)
def as_in_a_new_process(tmp_path, monkeypatch):
    """Names count from the start, files go to a folder of their own, seeds are the same; settings come back after."""
    monkeypatch.chdir(tmp_path)
    scope.reset_names()
    set_global_seed(0)
    settings = (_config.floatx(), _config.epsilon(), _config.image_data_format(), dtype_policy())
    yield
    _config.set_floatx(settings[0])
    _config.set_epsilon(settings[1])
    _config.set_image_data_format(settings[2])
    set_dtype_policy(settings[3])


def test_examples_are_found():
    assert len(modules()) > 100
    assert set(modules()) >= ALONE


@pytest.mark.parametrize("name", sorted(set(modules()) - ALONE))
def test_examples_of(name):
    def wanted(example: str) -> bool:
        return NEEDS.get(example) is None or NEEDS[example] in backend.features

    assert failures_of(importlib.import_module(name), wanted) == ""


@pytest.mark.parametrize("name", sorted(ALONE))
def test_examples_that_need_a_process(name, tmp_path):
    program = f"import doctest, sys, {name}; sys.exit(doctest.testmod({name}, optionflags={OPTIONS}).failed)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
