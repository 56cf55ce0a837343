"""Runs the examples in the docstrings of a module; shapes may look as the framework writes them."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from types import ModuleType

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class _Checker(doctest.OutputChecker):
    """Takes the shapes of any framework for tuples."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        plain = re.sub(r"(?:torch\.Size|TensorShape)\(\[(.*?)\]\)", _as_tuple, got)
        return super().check_output(want, plain, optionflags)


def _as_tuple(found: re.Match[str]) -> str:
    sizes = found[1]
    return f"({sizes},)" if sizes and "," not in sizes else f"({sizes})"


def failures_of(module: ModuleType, wanted: Callable[[str], bool] = lambda name: True) -> str:
    """What doctest says of the examples that fail, among those whose name is `wanted`; empty if none does."""
    runner = doctest.DocTestRunner(checker=_Checker(), optionflags=OPTIONS, verbose=False)
    report: list[str] = []
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        if wanted(example.name):
            runner.run(example, out=report.append)
    return "".join(report) if runner.failures else ""
