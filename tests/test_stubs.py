"""Editors and type checkers see what runs: each `.pyi` names the same things as the lazy table beside it."""

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

from hornbeam._lazy import attach
from hornbeam.ops import names
from tests.api import write_stubs

ROOT = Path(__file__).resolve().parents[1]
STUBS = {
    ".".join(path.relative_to(ROOT).parent.parts): path for path in sorted((ROOT / "hornbeam").rglob("__init__.pyi"))
}
LAZY = sorted(
    ".".join(path.relative_to(ROOT).parent.parts)
    for path in (ROOT / "hornbeam").rglob("__init__.py")
    if f"{attach.__name__}(__name__" in path.read_text()
)


def names_of(stub: Path) -> dict[str, tuple[str, str]]:
    """Each name that a stub makes public, with the module and the name it comes from."""
    found = {}
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                if one.asname == one.name:  # without `as`, a name in a stub is not public
                    found[one.name] = (node.module, one.name)
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = ("", node.target.id)
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = ("", node.name)
    return found


def test_every_lazy_package_has_a_stub():
    assert sorted(STUBS) == LAZY


@pytest.mark.parametrize("package", STUBS)
def test_the_stub_names_what_the_package_has(package):
    module = importlib.import_module(package)
    lazy = {name for name, home in module._NAMES.items() if importlib.util.find_spec(home) is not None}
    eager = set(getattr(module, "__all__", ())) - set(module._NAMES)
    stub = names_of(STUBS[package])
    assert set(stub) >= lazy | eager, f"names missing in the stub: {sorted((lazy | eager) - set(stub))}"
    for name, (home, original) in stub.items():
        found = getattr(module, name)  # raises for what the package does not have
        if home:
            source = importlib.import_module(home)
            assert found is getattr(source, original), f"{package}.{name} is not {home}.{original}"


def test_stubs_of_ops_are_those_of_the_table():
    for path, text in write_stubs.stubs().items():
        assert path.read_text() == text, f"{path.name} is older than the table: python -m tests.api.write_stubs"


def test_every_op_stands_in_the_table_once_and_where_it_says():
    tables = (*write_stubs.ALL, names.IMAGE)
    listed = [name for table in tables for text in table.values() for name in text.split()]
    assert len(listed) == len(set(listed))
    for name, home in names.homes(*tables).items():
        assert callable(getattr(importlib.import_module(home), name)), name


def test_the_wheel_carries_them():
    builder = pytest.importorskip("hatchling.builders.wheel", reason="lists the wheel's files").WheelBuilder(str(ROOT))
    files = {one.distribution_path for one in builder.recurse_included_files()}
    wanted = {"hornbeam/py.typed", *(path.relative_to(ROOT).as_posix() for path in STUBS.values())}
    assert wanted <= files
    assert not [one for one in files if one.startswith(("tests/", "benchmarks/"))]
