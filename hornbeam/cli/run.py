"""`hornbeam run`: a Keras program, unchanged, on hornbeam."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from hornbeam.install import install_as_keras

# Tells processes that the program starts, see child.py, which file it is.
SCRIPT_VARIABLE = "HORNBEAM_RUN_SCRIPT"


def run(script: str, arguments: Sequence[str] = ()) -> int:
    """Runs a Python file as `__main__`, with hornbeam in place of Keras.

    Args:
        script: The file.
        arguments: What the program finds in `sys.argv` after its own name.

    Returns:
        The exit status: 0, or as Python's own after an error, whose traceback starts in the program.
    """
    try:
        code = compiled(script)
    except OSError as problem:
        print(f"hornbeam run: can't open file {script!r}: {problem.strerror}", file=sys.stderr)
        return 2
    except (SyntaxError, ValueError) as problem:
        sys.excepthook(type(problem), problem.with_traceback(None), None)
        return 1
    install_as_keras()
    sys.argv[:] = [script, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(script).resolve().parent)
    main = ModuleType("__main__")
    main.__file__ = script
    vars(main)["__builtins__"] = __builtins__
    # Processes started by the program import this in place of its file, and so see hornbeam as well.
    main.__spec__ = ModuleSpec("hornbeam.cli.child", None, origin=script)
    os.environ[SCRIPT_VARIABLE] = str(Path(script).resolve())
    sys.modules["__main__"] = main
    try:
        exec(code, vars(main))  # noqa: S102 - running the user's program is the purpose
    except SystemExit:
        raise
    except BaseException as problem:  # noqa: BLE001 - any error of the program is shown as Python shows it
        trace = _from_script(problem.__traceback__, script)
        sys.excepthook(type(problem), problem.with_traceback(trace), trace)
        return 130 if isinstance(problem, KeyboardInterrupt) else 1
    _wait_for_threads()
    return 0


def compiled(script: str) -> CodeType:
    """The code of a Python file."""
    with io.open_code(str(Path(script).absolute())) as file:
        return compile(file.read(), script, "exec", dont_inherit=True)


def _from_script(trace: TracebackType | None, script: str) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    return trace


def _wait_for_threads() -> None:
    # The program's threads may still use its globals, and import from its `__main__`.
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
