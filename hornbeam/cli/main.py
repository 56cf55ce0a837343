"""Reads the command line and calls the command; knows what commands there are, not what they do."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import hornbeam
from hornbeam.errors import HornbeamError

_DESCRIPTION = "hornbeam: the Keras 3 interface on JAX, PyTorch, TensorFlow and NumPy."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hornbeam", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"hornbeam {hornbeam.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="train a small convnet and draw what it learned",
        description="Trains a convolutional network on handwritten digits, saves and reloads it, and draws pictures.",
    )
    demo.add_argument(
        "--dataset",
        choices=("digits", "mnist"),
        default="digits",
        help="digits: 1,797 images that come with scikit-learn, no network needed (default); "
        "mnist: the Keras guide's program on 70,000 images",
    )
    demo.add_argument("--epochs", type=_positive, help="most passes over the data (default: 20)")
    demo.add_argument("--output", default="demo_output", metavar="DIR", help="where the pictures go (%(default)s)")

    run = commands.add_parser(
        "run",
        help="run a Keras program on hornbeam, unchanged",
        description="Runs a Python program in which `import keras` and `tf.keras` mean hornbeam.",
    )
    run.add_argument("script", help="the Python file")
    rest = run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program finds in sys.argv")
    rest.required = False  # else argparse names it among what is missing when only the script is

    info = commands.add_parser(
        "info",
        help="versions, backend, devices; how much of Keras is there",
        description="Shows versions, the backend and its devices, or how many of Keras's public names are there.",
    )
    info.add_argument("--api", action="store_true", help="count Keras's public names and signatures, by namespace")
    info.add_argument("--missing", action="store_true", help="with --api: also list what is missing or differs")
    info.add_argument("--namespace", metavar="NAME", help="with --api: only this one, such as layers or keras.ops")
    info.add_argument("--names", metavar="FILE", help="with --api: another list of names (json)")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words after the program's name; those of the process if None.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    command = importlib.import_module(f"hornbeam.cli.{options.command}")
    if options.command == "run":
        return command.run(options.script, options.arguments)
    try:
        return command.main(options)
    except HornbeamError as problem:
        print(f"hornbeam {options.command}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
