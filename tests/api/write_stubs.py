"""Writes the stubs of `hornbeam.ops` from its table; for when names were added: `python -m tests.api.write_stubs`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from hornbeam.ops import names

FOLDER = Path(names.__file__).parent
ALL = (names.CORE, names.NUMPY, names.NN, names.LINALG, names.MATH, names.OTHERS)
NOTE = "for type checkers and editors, which cannot see names that come from a table"


def stubs() -> dict[Path, str]:
    """The text of each stub."""
    faces = {"numpy": names.NUMPY, "nn": names.NN, "math": names.MATH}
    modules = ("core", "image", "linalg", "nn", "numpy", "operators")
    return {
        FOLDER / "__init__.pyi": _stub("hornbeam.ops", {**dict.fromkeys(modules, "hornbeam.ops"), **names.homes(*ALL)}),
        **{FOLDER / f"{face}.pyi": _stub(f"hornbeam.ops.{face}", names.homes(table)) for face, table in faces.items()},
    }


def _stub(module: str, homes: Mapping[str, str]) -> str:
    text = f'"""`{module}` {NOTE}."""\n\n'
    for home in sorted(set(homes.values())):
        found = sorted((one for one in homes if homes[one] == home), key=_as_sorted_by_ruff)
        text += f"from {home} import (\n" + "".join(f"    {one} as {one},\n" for one in found) + ")\n"
    return text


def _as_sorted_by_ruff(name: str) -> list[tuple[bool, int, str]]:
    """Numbers in names count as numbers: log1p, log2, log10."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
