"""`hornbeam run`: programs run as they would under Python, with hornbeam in Keras's place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def hornbeam(*arguments: str, cwd: Path, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "hornbeam", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=cwd,
        env={**os.environ, "HORNBEAM_BACKEND": "numpy", "PYTHONPATH": path, **environment},
    )


def write(folder: Path, text: str, name: str = "script.py") -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return name


def test_the_program_sees_what_python_gives_it(tmp_path):
    write(tmp_path, "value = 42", "sub/helper.py")
    script = write(
        tmp_path,
        "import sys, keras, helper\n"
        "assert keras.__name__ == 'hornbeam' and __name__ == '__main__' and sys.modules['__main__'].helper is helper\n"
        "print(sys.argv, __file__, sys.path[0], helper.value)\n",
        "sub/script.py",
    )
    done = hornbeam("run", script, "a", "--epochs", "3", "-h", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = f"['{script}', 'a', '--epochs', '3', '-h'] {script} {tmp_path / 'sub'} 42"
    assert done.stdout.strip() == expected


def test_the_program_chooses_the_backend(tmp_path):
    script = write(
        tmp_path,
        "import os\ndel os.environ['HORNBEAM_BACKEND']\nos.environ['KERAS_BACKEND'] = 'numpy'\n"
        "import keras\nfrom hornbeam.backend import active\nprint(active.name)\n",
    )
    assert hornbeam("run", script, cwd=tmp_path, KERAS_BACKEND="jax").stdout.strip() == "numpy"


@pytest.mark.parametrize(
    ("text", "status", "lines"),
    [
        ("import sys; sys.exit(7)", 7, []),
        ("raise SystemExit('over')", 1, ["over"]),
        ("raise SystemExit", 0, []),
        (
            "def f():\n    1 / 0\nf()\n",
            1,
            ["Traceback (most recent call last):", 'script.py", line 3', 'script.py", line 2', "ZeroDivisionError"],
        ),
        ("x = = 1", 1, ['script.py", line 1', "SyntaxError"]),
        ("raise KeyboardInterrupt", 130, ['script.py", line 1', "KeyboardInterrupt"]),
        ("import nothing_like_this", 1, ['script.py", line 1', "ModuleNotFoundError"]),
        ("import keras.src", 1, ['script.py", line 1', "PrivateNameError"]),
    ],
)
def test_status_and_traceback(tmp_path, text, status, lines):
    done = hornbeam("run", write(tmp_path, text), cwd=tmp_path)
    assert done.returncode == status, done.stderr
    for line in lines:
        assert line in done.stderr
    assert "cli/run.py" not in done.stderr and "runpy" not in done.stderr and "__main__.py" not in done.stderr
    assert bool(done.stderr.strip()) == bool(lines)


def test_causes_are_shown(tmp_path):
    done = hornbeam(
        "run",
        write(tmp_path, "try:\n    {}['x']\nexcept KeyError as e:\n    raise ValueError('y') from e\n"),
        cwd=tmp_path,
    )
    assert "KeyError: 'x'" in done.stderr and "direct cause" in done.stderr and "ValueError: y" in done.stderr


def test_a_missing_file(tmp_path):
    done = hornbeam("run", "nothing.py", cwd=tmp_path)
    assert done.returncode == 2 and "nothing.py" in done.stderr and "Traceback" not in done.stderr


PROCESSES = """
import multiprocessing, sys
from keras.utils import to_categorical

def work(number):
    import keras
    return keras.__name__, __name__, to_categorical([number], 3).tolist()

if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(pool.map(work, [1]))
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has spawn alone")
def test_processes_that_the_program_starts_see_hornbeam(tmp_path, method):
    done = hornbeam("run", write(tmp_path, PROCESSES), method, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    name = "__main__" if method == "fork" else "__mp_main__"
    assert done.stdout.strip() == f"[('hornbeam', '{name}', [[0.0, 1.0, 0.0]])]"


def test_threads_may_outlive_the_last_line(tmp_path):
    script = write(
        tmp_path,
        "import threading, time\nvalue = 'there'\n"
        "def late():\n    time.sleep(0.2)\n    import __main__\n    print(__main__.value)\n"
        "threading.Thread(target=late).start()\n",
    )
    assert hornbeam("run", script, cwd=tmp_path).stdout.strip() == "there"
