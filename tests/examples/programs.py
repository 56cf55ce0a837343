"""The programs in examples/ that have `main` and `first_gradients`, with what they reach."""

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples"

# name: for `main`, an argument with which it learns, and the least and greatest figure that it may give then
PROGRAMS = {
    "accumulation": (5, 0.85, 1.0),
    "diffusion": (100, 0.0, 0.17),
    "distillation": (8, 0.85, 1.0),
    "gan": (3000, 0.0, 0.2),
    "momentum_contrast": (15, 0.95, 1.0),
    "reinforce": (40, 3.0, 4.0),
    "two_optimizers": (5, 0.85, 1.0),
    "vae": (10, 0.0, 0.16),
    "wgan_gp": (12, 0.0, 0.15),
}


def load(name):
    """The module of an example."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
