"""The floors of docs/architecture.md hold: read from the imports, without running anything.

A unit is a module or package right below `hornbeam/`. Imports go to lower floors, or to a neighbour on the same
floor as long as no circle of modules comes of it. Frameworks are imported in `backend/<name>/` alone. An import
inside a function is for an optional third party.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1] / "hornbeam"

FLOORS = [
    "_arguments _atomic _config _wire _lazy _terminal _interrupts errors tree dtypes",
    "backend",
    "scope variable symbolic tracking stateless",
    "ops random",
    "graph transforms tape activations initializers regularizers constraints losses dtype_policies saving",
    "layers metrics optimizers mixed_precision config",
    "training callbacks models data",
    """quantizers distribution applications datasets export tuner serving wrappers utils install visualization
    distillation preprocessing legacy""",
    "cli __main__",
]
FLOOR = {unit: number for number, units in enumerate(FLOORS) for unit in units.split()}
# The face names everything, lazily, and is imported by nothing below the command line.
FACE = ("__init__",)
FACE_USERS = ("install", "config", "cli", "__main__")
FRAMEWORKS = {"jax", "jaxlib", "torch", "tensorflow", "keras", "tf_keras", "flax"}
CORE = {"numpy", "optree", "h5py", "ml_dtypes", "rich"}
# Of these, what takes long to import and few programs need may be imported where it is used, too.
LATE = {"h5py", "rich"}
# Third parties that a function may import, with the extra that brings them.
OPTIONAL = {
    "pandas": "data",
    "PIL": "data",
    "pyarrow": "data",
    "grain": "data",
    "cv2": "data",
    "scipy": "wrappers and sparse data",
    "sklearn": "demo",
    "matplotlib": "plot",
    "pydot": "plot",
    "tensorboard": "tensorboard",
    "huggingface_hub": "hub",
    "safetensors": "hub",
    "optuna": "tune",
    "onnx": "export",
    "onnxruntime": "export",
    "IPython": "notebooks",
}
# Imports that break a rule, each with the reason. An import that is not there any more must go from here.
EXCEPTIONS: dict[tuple[str, str], str] = {}


class Import(NamedTuple):
    """One import: in which file and line, of which module (and name in it), inside a function, for types only."""

    file: str
    line: int
    target: str
    name: str
    inside: bool
    typing: bool

    def __str__(self) -> str:
        return f"hornbeam/{self.file}:{self.line} imports {self.target}"


def unit_of(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


def target_unit(target: str) -> str:
    parts = target.split(".")
    return parts[1] if len(parts) > 1 else ""


def read(path: Path) -> Iterator[Import]:
    file = path.relative_to(ROOT).as_posix()
    package = ("hornbeam", *path.relative_to(ROOT).parts[:-1])

    def walk(node: ast.AST, inside: bool, typing: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for one in node.names:
                yield Import(file, node.lineno, one.name, "", inside, typing)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for one in node.names:
                # `from hornbeam import tree` names a unit; `from hornbeam.tree import flatten` does not
                target = f"hornbeam.{one.name}" if module == "hornbeam" else module
                yield Import(file, node.lineno, target, one.name, inside, typing)
        else:
            inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):  # expressions have no imports
                    yield from walk(child, inside, typing or for_types)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), inside=False, typing=False)


@functools.cache  # and not while tests are collected, which every process does
def imports() -> list[Import]:
    return [one for path in sorted(ROOT.rglob("*.py")) for one in read(path)]


def ours() -> list[Import]:
    return [one for one in imports() if one.target.split(".")[0] == "hornbeam"]


def offences(found: Iterator[Import]) -> str:
    return "\n".join(str(one) for one in found if (one.file, one.target) not in EXCEPTIONS)


def test_the_reader_sees_imports():
    assert len(ours()) > 20 and {unit_of(one.file) for one in ours()} >= {"backend", "tree", "dtypes"}


def test_every_unit_has_a_floor():
    units = {unit_of(path.relative_to(ROOT).as_posix()) for path in ROOT.rglob("*.py")} - set(FACE)
    assert not units - set(FLOOR), "write the floor of these into FLOORS"


def test_no_import_goes_up():
    bad = (
        one
        for one in ours()
        if (home := unit_of(one.file)) not in FACE
        and (there := target_unit(one.target))
        and there in FLOOR
        and FLOOR[there] > FLOOR.get(home, len(FLOORS))
    )
    assert not offences(bad)


def test_no_circles():
    """Modules need one another in one direction; that packages load in any order, test_import.py tries."""

    def module(path: Path) -> str:
        return ".".join(("hornbeam", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")

    modules = {module(path) for path in ROOT.rglob("*.py")}
    edges: dict[str, set[str]] = defaultdict(set)
    for one in ours():
        home = module(ROOT / one.file)
        for there in (f"{one.target}.{one.name}", one.target):
            if there in modules:
                if not one.typing and there != home:
                    edges[home].add(there)
                break
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in list(edges):
        visit(name, ())


def test_only_the_command_line_uses_the_face():
    bad = (
        one
        for one in ours()
        if unit_of(one.file) not in (*FACE, *FACE_USERS)
        and (one.target == "hornbeam" or (one.target.count(".") == 1 and target_unit(one.target) not in FLOOR))
    )
    assert not offences(bad)


def test_frameworks_are_imported_by_their_backend_alone():
    def allowed(one: Import) -> bool:
        name = one.target.split(".")[0].removesuffix("lib")
        return one.file.startswith(f"backend/{name}/") or one.typing

    assert not offences(one for one in imports() if one.target.split(".")[0] in FRAMEWORKS and not allowed(one))


def test_other_packages_are_core_or_imported_where_they_are_used():
    def allowed(one: Import) -> bool:
        name = one.target.split(".")[0]
        if name in sys.stdlib_module_names or name in ("hornbeam", "__future__") or name in FRAMEWORKS | CORE:
            return True
        return name in OPTIONAL and (one.inside or one.typing)

    assert not offences(one for one in imports() if not allowed(one))


def test_imports_inside_functions_are_for_optional_packages():
    assert not offences(one for one in imports() if one.inside and one.target.split(".")[0] not in LATE | set(OPTIONAL))


def test_exceptions_are_still_needed():
    present = {(one.file, one.target) for one in imports()}
    assert not set(EXCEPTIONS) - present
    assert all(len(reason.split()) >= 3 for reason in EXCEPTIONS.values())


def test_files_hold_one_idea(limit=1000):
    # over 800 is worth a thought, see CONTRIBUTING.md; this is where it ends
    long = {path.name: lines for path in ROOT.rglob("*.py") if (lines := len(path.read_text().splitlines())) > limit}
    assert not long, f"files over {limit} lines"


def test_files_say_what_they_are_for():
    silent = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent, "files that do not open with a sentence"


def test_warnings_point_at_the_users_line():
    direct = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if path.name != "errors.py" and "warnings.warn(" in path.read_text()
    ]
    assert not direct, "files that do not warn through hornbeam.errors.warn"
