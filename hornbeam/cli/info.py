"""`hornbeam info`: what is installed, what runs where, and how much of Keras is there."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import platform
import shutil
from collections import defaultdict

from rich.console import Console
from rich.table import Table

import hornbeam
from hornbeam import _config
from hornbeam.cli import api
from hornbeam.errors import HornbeamError, UnknownNameError

# The optional packages, by what they are for.
_OPTIONAL = {
    "backends": ("jax", "jaxlib", "torch", "tensorflow", "tensorflow-cpu"),
    "data": ("pandas", "pillow", "pyarrow", "grain", "scikit-learn"),
    "plots": ("matplotlib", "pydot"),
    "tensorboard": ("tensorboard",),
    "hub": ("huggingface-hub", "safetensors"),
    "tuning": ("optuna",),
    "export": ("onnx", "onnxruntime"),
    "Keras itself": ("keras",),
}


def main(options: argparse.Namespace) -> int:
    """Prints one of the two reports; returns the exit status."""
    if options.api or options.missing or options.namespace:
        _report_api(options)
    else:
        _report_installation()
    return 0


def _console() -> Console:
    return Console(width=max(80, min(120, shutil.get_terminal_size().columns)), highlight=False, soft_wrap=True)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _report_installation() -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("hornbeam", hornbeam.__version__)
    table.add_row("Python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    table.add_row("core", _versions(("numpy", "optree", "h5py", "ml-dtypes", "rich")))
    for purpose, packages in _OPTIONAL.items():
        table.add_row(purpose, _versions(packages) or "-")
    name = _config.choose_backend()
    table.add_row("backend", name)
    try:
        # imported here, by name, because looking at the versions must work where the backend does not load
        active = importlib.import_module("hornbeam.backend").active
        table.add_row("devices", ", ".join(active.devices()))
    except HornbeamError as problem:
        table.add_row("devices", f"none: {problem}")
    table.add_row("floatx", _config.floatx())
    table.add_row("image layout", _config.image_data_format())
    table.add_row("cache", str(_config.home()))
    _console().print(table)


def _versions(packages: tuple[str, ...]) -> str:
    return ", ".join(f"{one} {version}" for one in packages if (version := _version(one)))


def _report_api(options: argparse.Namespace) -> None:
    names = api.read_names(options.names)
    if options.namespace:
        wanted = options.namespace if options.namespace.split(".")[0] == "keras" else f"keras.{options.namespace}"
        chosen = {one: about for one, about in names.items() if f"{one}.".startswith(f"{wanted}.")}
        if not chosen:
            raise UnknownNameError("namespace", options.namespace, {one.rpartition(".")[0] for one in names})
        names = chosen
    found = api.findings(names)
    groups: dict[str, list[api.Finding]] = defaultdict(list)
    for one in found:
        groups[one.namespace].append(one)

    title = f"Public names of Keras {hornbeam.keras_version} in hornbeam"
    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("namespace", "total")
    for column, total in (
        ("names", len(found)),
        ("there", sum(one.status != "missing" for one in found)),
        ("same signature", sum(one.status == "same" for one in found)),
    ):
        table.add_column(column, str(total), justify="right")
    for namespace, group in sorted(groups.items()):
        there = sum(one.status != "missing" for one in group)
        table.add_row(namespace, str(len(group)), str(there), str(sum(one.status == "same" for one in group)))
    console = _console()
    console.print(table)
    if options.missing:
        for one in found:
            if one.status != "same":
                console.print(f"{one.status:8}{one.name}" + (f": {one.detail}" if one.detail else ""), markup=False)
