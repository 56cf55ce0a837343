"""The progress bar: what a terminal shows is what PyPI's keras shows; what a file gets is plain; nobody waits."""

import fcntl
import io
import itertools
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hornbeam import _config, _terminal
from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.training import progress
from hornbeam.training.progress import Progbar

pytestmark = pytest.mark.backend_free

ROOT = Path(__file__).resolve().parents[2]
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
COLOR = re.compile(r"\x1b\[[0-9;]*m")

# Each loop is run with Keras's bar and with ours, on one clock that only `wait` moves, so all times are equal.
# `metrics` are named as stateful: what is averaged while the bar runs is told apart below.
LOOPS = {
    "short": """
bar = Progbar(4, stateful_metrics=["loss", "acc"])
for i in range(4):
    wait(0.06); bar.update(i + 1, [("loss", 1.0 / (i + 1)), ("acc", 0.1 * i)])
""",
    "the guide's": """
bar = Progbar(399, stateful_metrics=["acc", "loss", "val_acc", "val_loss"])
for i in range(399):
    wait(0.184); bar.update(i + 1, [("acc", i / 400), ("loss", 2.5 - i / 400)], finalize=False)
wait(0.6)
bar.update(399, [("acc", 0.498), ("loss", 1.3832), ("val_acc", 0.9609), ("val_loss", 0.1513)], finalize=True)
""",
    "without metrics": """
bar = Progbar(313)
for i in range(313):
    wait(0.009); bar.update(i + 1)
""",
    "faster than the eye": """
bar = Progbar(2000)
for i in range(2000):
    wait(0.0004); bar.update(i + 1)
""",
    "a slow first step": """
bar = Progbar(10)
wait(30); bar.update(1)
for i in range(2, 11):
    wait(2); bar.update(i)
""",
    "hours": """
bar = Progbar(1000)
for i in (1, 2, 500, 1000):
    wait(7 * i); bar.update(i)
""",
    "days": """
bar = Progbar(1000)
for i in (1, 2, 500, 1000):
    wait(900 * i); bar.update(i)
""",
    "unknown target": """
bar = Progbar(None, stateful_metrics=["loss"])
for i in range(4):
    wait(0.06); bar.update(i + 1, [("loss", 1.0 * i)])
bar.update(4, [("loss", 3.0)], finalize=True)
""",
    "averaged": """
bar = Progbar(10, stateful_metrics=["acc"])
for n, value in ((2, 1.0), (5, 4.0), (3, 6.0)):
    wait(0.06); bar.add(n, [("loss", value), ("acc", value)])
""",
    "averaged by name": """
bar = Progbar(4, stateless_metrics=["loss"])
for i in range(4):
    wait(0.06); bar.update(i + 1, [("loss", 1.0 * i), ("acc", 1.0 * i)])
""",
    "numbers": """
bar = Progbar(1)
wait(0.001)
names = "abcdefghijk"
values = [1e-3, 9.9e-4, 0.0, 1e-12, 12345.678, -1e-5, 1e8, float("nan"), float("inf"), 3, [1.0, 2.0, 3.0]]
bar.update(1, list(zip(names, values)))
""",
    "width and unit": """
bar = Progbar(50, width=33, unit_name="sample")
for i in range(50):
    wait(0.06); bar.update(i + 1)
""",
    "stopped early": """
bar = Progbar(10)
wait(1); bar.update(7, finalize=True)
""",
    "nothing done": """
bar = Progbar(4); bar.update(0); wait(1); bar.update(4)
""",
    "one line": """
bar = Progbar(12, verbose=2)
for i in range(12):
    wait(0.02); bar.update(i + 1, [("loss", 0.5), ("val_loss", 2.0)])
""",
    "one line, stopped early": """
bar = Progbar(10, verbose=2)
wait(1); bar.update(7, finalize=True)
""",
    "silent": """
bar = Progbar(3, verbose=0)
for i in range(3):
    wait(1); bar.update(i + 1, [("loss", 0.5)])
""",
    **{
        f"{seconds} s a step": f"""
bar = Progbar(1000)
wait({seconds} * 1000); bar.update(1000)
"""
        for seconds in (1e-7, 1e-6, 9.4e-4, 1e-3, 0.0104, 0.999, 1.0, 1.4, 1.6, 120)
    },
}

PROGRAM = """
import sys, time
now = [1000.0]
if sys.argv[1] == "keras":
    import keras
    Progbar = keras.utils.Progbar
    time.time = lambda: now[0]
else:
    import hornbeam.training.progress as progress
    Progbar = progress.Progbar
    progress._now = lambda: now[0]
def wait(seconds):
    now[0] += seconds
LOOPS = %r
for name, loop in LOOPS.items():
    print("## " + name, flush=True)
    exec(loop)
"""


def run_in_terminal(arguments: list[str], columns: int = 200, **environment: str) -> str:
    """All that a program writes to a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    given |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "numpy", **environment}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=given, cwd=ROOT
    )
    os.close(slave)
    written = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        written += part
    os.close(master)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 0, errors.decode()
    return written.decode().replace("\r\n", "\n")


def drawings(written: str) -> list[str]:
    """Each visible state of the line, in order."""
    plain = COLOR.sub("", written).replace("\b", "")
    return [text.rstrip() for line in plain.split("\n") for text in line.split("\r") if text.strip()]


@pytest.fixture(scope="module")
def both() -> dict[str, dict[str, str]]:
    """What Keras's bar and ours wrote for each loop."""
    found = {}
    for who in ("keras", "hornbeam"):
        parts = run_in_terminal(["-c", PROGRAM % LOOPS, who]).split("## ")[1:]
        found[who] = dict(part.split("\n", 1) for part in parts)
    return found


@pytest.mark.parametrize("name", LOOPS)
def test_terminal_shows_what_keras_shows(both, name):
    theirs, ours = both["keras"][name], both["hornbeam"][name]
    assert drawings(ours) == drawings(theirs)
    assert name == "silent" or drawings(ours)


@pytest.mark.parametrize("name", ["short", "hours", "unknown target"])
def test_terminal_colors_are_those_of_keras(both, name):
    def colored(written: str) -> set[str]:  # without parts that colour nothing
        return set(re.findall(r"\x1b\[[0-9;]+m[^\x1b\r]+\x1b\[0m", written))

    assert colored(both["hornbeam"][name]) == colored(both["keras"][name])


# From here on within this process, on streams and a clock of our own


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(progress, "_now", found)
    return found


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((200, 40)))
    stream = Terminal()
    redirect(monkeypatch, stream)
    return stream


def redirect(monkeypatch, stream) -> None:
    """Makes `stream` the standard output of the modules under test alone: pytest moves `sys.stdout` itself."""
    for module in (progress, _terminal):
        monkeypatch.setattr(module, "sys", SimpleNamespace(stdout=stream))


def epoch(bar: Progbar, clock: Clock, steps: int, seconds: float, **last) -> None:
    for step in range(1, steps + 1):
        clock.now += seconds
        bar.update(step, {"acc": step / steps, "loss": 1.0 / step}, finalize=False)
    bar.update(steps, {"acc": 1.0, "loss": 0.5, **last}, finalize=True)


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_redirected_output_is_one_plain_line(capsys, clock, verbose):
    epoch(Progbar(399, verbose=verbose), clock, 399, 0.01, val_loss=0.25)
    written = capsys.readouterr().out
    assert written == "399/399 - 4s - 10ms/step - acc: 1.0000 - loss: 0.5000 - val_loss: 0.2500\n"


def test_redirected_output_of_a_program_has_no_control_characters():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM % LOOPS, "hornbeam"],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"},
    )
    assert not CONTROL.findall(result.stdout)
    assert result.stdout.count("/step") > 20


@pytest.mark.parametrize(
    ("verbose", "lines"),
    [
        (
            1,
            [
                " 10/100 - ETA 1:30 - 1s/step - acc: 0.1000 - loss: 0.1000",
                " 20/100 - ETA 1:20 - 1s/step - acc: 0.2000 - loss: 0.0500",
                " 30/100 - ETA 1:10 - 1s/step - acc: 0.3000 - loss: 0.0333",
                "30/30 - 30s - 1s/step - acc: 1.0000 - loss: 0.5000",
            ],
        ),
        (2, ["30/30 - 30s - 1s/step - acc: 1.0000 - loss: 0.5000"]),
    ],
)
def test_long_plain_epochs_say_that_they_live(capsys, clock, verbose, lines):
    bar = Progbar(100, verbose=verbose)
    for step in range(1, 31):
        clock.now += 1.0
        bar.update(step, {"acc": step / 100, "loss": 1 / step}, finalize=False)
    bar.target = 30
    bar.update(30, {"acc": 1.0, "loss": 0.5}, finalize=True)
    assert capsys.readouterr().out.splitlines() == lines


def test_plain_line_of_an_unknown_target(capsys, clock):
    bar = Progbar(None)
    for step in range(1, 16):
        clock.now += 1.0
        bar.update(step)
    bar.update(15, finalize=True)
    assert capsys.readouterr().out.splitlines() == ["10/Unknown - 10s - 1s/step", "15/Unknown - 15s - 1s/step"]


def test_silence(capsys, terminal):
    bar = Progbar(3, verbose=0)
    bar.update(3, [("loss", lambda: pytest.fail("read"))])
    bar.close()
    assert capsys.readouterr().out == terminal.getvalue() == ""


def test_logging_instead_of_output(capsys, caplog, clock):
    _config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, logger="hornbeam"):
            epoch(Progbar(25), clock, 25, 1.0)
    finally:
        _config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert [record.name for record in caplog.records] == ["hornbeam"] * 3
    assert caplog.messages[-1] == "25/25 - 25s - 1s/step - acc: 1.0000 - loss: 0.5000"


class Counted:
    """A value on a device that counts how often somebody waits for it."""

    def __init__(self, reads: list):
        self.reads = reads

    def __float__(self) -> float:
        self.reads.append(1)
        return 0.5


@pytest.mark.parametrize("as_callable", ["values", "each", "all"])
def test_values_are_read_only_when_drawn(terminal, clock, as_callable):
    reads: list = []
    value = Counted(reads)
    values = {
        "values": [("loss", value)],
        "each": [("loss", lambda: float(value))],
        "all": lambda: {"loss": value},
    }[as_callable]
    bar = Progbar(100_000)
    for step in range(1, 10_001):
        clock.now += 0.00001
        bar.update(step, values)
    assert len(reads) == 2  # 0.1 s in all: the first step, and one after 0.05 s
    assert "loss: 0.5000" in terminal.getvalue()


def test_averaged_values_are_not_read_before_either_and_do_not_pile_up(terminal, clock):
    reads: list = []
    bar = Progbar(100_000, stateless_metrics=["loss"])
    bar.update(1, [("loss", Counted(reads))])
    for step in range(2, 500):
        bar.update(step, [("loss", Counted(reads))])
    assert len(reads) == 1
    for step in range(500, 5000):
        bar.update(step, [("loss", Counted(reads))])
    assert 4999 - len(reads) < 1024


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.25), "0.2500"),
        (np.array(0.25), "0.2500"),
        (np.array([0.0, 1.0]), "0.5000"),
        (np.array([[0.25]]), "0.2500"),
        ((1, 2), "1.5000"),
        (lambda: [1.0, 2.0], "1.5000"),
        (True, "1.0000"),
        (None, "None"),
        ("warm-up", "warm-up"),
        ("a\x1b[1mb", "a?[1mb"),
        (object, re.compile("<object.*")),
    ],
)
def test_kinds_of_values(capsys, clock, value, text):
    Progbar(1).update(1, [("m", value)])
    shown = capsys.readouterr().out.rstrip("\n").rpartition("m: ")[2]
    assert text.match(shown) if isinstance(text, re.Pattern) else shown == text


@pytest.mark.backend_free(False)
def test_values_of_the_active_backend(capsys, clock):
    from hornbeam.backend import active

    value = active.asarray(np.float32(0.75))
    Progbar(1).update(1, {"scalar": value, "vector": active.asarray(np.array([0.5, 1.0], "float32"))})
    assert capsys.readouterr().out.endswith("scalar: 0.7500 - vector: 0.7500\n")


def rows(written: str, columns: int) -> list[str]:
    """The rows of a terminal so wide after `written`, as a terminal fills them."""
    screen: list[list[str]] = [[]]
    row = column = 0
    for letter in COLOR.sub("", written):
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row, column = row + 1, 0
        else:
            if column == columns:
                row, column = row + 1, 0
            while len(screen) <= row:
                screen.append([])
            screen[row][column : column + 1] = [letter]
            column += 1
    return ["".join(one).rstrip() for one in screen]


@pytest.mark.parametrize("columns", [12, 20, 30, 40, 60, 79, 80, 120])
def test_a_running_line_never_wraps(monkeypatch, terminal, clock, columns):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 40)))
    bar = Progbar(399)
    for step in range(1, 399):
        clock.now += 0.184
        bar.update(step, {"accuracy": 0.5, "loss": 1 / step, "regularization": 1e-5})
        (row,) = rows(terminal.getvalue(), columns)
        assert len(row) < columns
        assert row.startswith(f"{step:>3}/399")
    # what has no room even without a bar goes, from the end; the bar takes what is then left
    assert [name for name in ("accuracy: 0.5000", "loss: 0.0025", "regularization: 1.0000e-05") if name in row] == [
        "accuracy: 0.5000", "loss: 0.0025", "regularization: 1.0000e-05"
    ][: (columns >= 42) + (columns >= 57) + (columns >= 85)]
    bar.update(399, {"accuracy": 0.5, "loss": 0.25, "regularization": 1e-5})
    assert "regularization: 1.0000e-05" in "".join(rows(terminal.getvalue(), columns))  # nothing of it is lost


@pytest.mark.parametrize(
    ("columns", "bar"), [(200, 20), (53, 20), (52, 19), (40, 7), (36, 3), (35, 0), (30, 0)]
)
def test_a_bar_is_cut_to_what_is_left(monkeypatch, terminal, clock, columns, bar):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 40)))
    clock.now += 10
    Progbar(10).update(10, {"loss": 0.5})
    (line,) = drawings(terminal.getvalue())
    assert line == "10/10 " + "━" * bar + " " * (bar > 0) + "0s 0s/step - loss: 0.5000"


@pytest.mark.parametrize(
    ("environment", "encoding", "line"),
    [
        ({}, "ascii", "2/4 \x1b[1m"),
        ({"NO_COLOR": "1"}, "utf-8", "2/4 ━━━━━━━━━━────────── 1s 500ms/step"),
        ({"TERM": "dumb"}, "utf-8", "2/4 ━━━━━━━━━━────────── 1s 500ms/step"),
        ({"NO_COLOR": "1"}, "cp1252", "2/4 ==========.......... 1s 500ms/step"),
    ],
)
def test_poor_terminals(monkeypatch, terminal, clock, environment, encoding, line):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal.encoding = encoding
    bar = Progbar(4)
    clock.now += 1.0
    bar.update(2)
    written = terminal.getvalue()
    if environment:
        assert written == "\r" + line
    else:
        assert "==========.........." in written
        written.encode(encoding)


def test_notebooks_draw_over_the_line(monkeypatch, clock):
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream", "encoding": "UTF-8"})()
    redirect(monkeypatch, stream)
    epoch(Progbar(5), clock, 5, 1.0)
    assert drawings(stream.getvalue())[-1] == "5/5 ━━━━━━━━━━━━━━━━━━━━ 5s 1s/step - acc: 1.0000 - loss: 0.5000"
    assert "\x1b[32m" in stream.getvalue()


def test_close_ends_a_broken_off_line_once(terminal, clock):
    with pytest.raises(KeyboardInterrupt), Progbar(10) as bar:
        bar.update(3, {"loss": 1.0})
        raise KeyboardInterrupt
    bar.close()
    assert terminal.getvalue().count("\n") == 1
    assert terminal.getvalue().endswith("loss: 1.0000\n")


def test_close_of_a_finished_bar_writes_nothing(terminal, clock):
    bar = Progbar(1)
    bar.update(1)
    before = terminal.getvalue()
    bar.close()
    assert terminal.getvalue() == before


def test_pace_is_right_when_updates_jump(terminal, clock):
    bar = Progbar(1000)
    clock.now += 10.0  # compiles, and runs 100 steps
    bar.update(100)
    clock.now += 2.0
    bar.update(300)
    assert drawings(terminal.getvalue())[-1] == " 300/1000 ━━━━━━━━━━━━━━━━━━━━ 7s 40ms/step"  # 700 steps of 10 ms
    clock.now += 7.0
    bar.update(1000)
    assert bar.steps_per_second == pytest.approx(1000 / 19)
    assert drawings(terminal.getvalue())[-1] == "1000/1000 ━━━━━━━━━━━━━━━━━━━━ 19s 19ms/step"


def test_clock_is_read_after_waiting_for_values(terminal, clock):
    def slow() -> float:
        clock.now += 3.0
        return 0.5

    bar = Progbar(1)
    bar.update(1, {"loss": slow})
    assert drawings(terminal.getvalue()) == ["1/1 ━━━━━━━━━━━━━━━━━━━━ 3s 3s/step - loss: 0.5000"]


def test_a_second_round_starts_anew(terminal, clock):
    bar = Progbar(2)
    for value in (1.0, 3.0):
        for step in (1, 2):
            clock.now += 1.0
            bar.update(step, {f"loss{value:.0f}": value})
    lines = rows(terminal.getvalue(), 200)
    assert lines[0].endswith("2s 1s/step - loss1: 1.0000")
    assert lines[1].endswith("1s 1s/step - loss3: 3.0000")


def test_more_steps_than_promised(terminal, clock):
    bar = Progbar(4)
    clock.now += 6.0
    bar.update(6)
    assert drawings(terminal.getvalue()) == ["6/4 ━━━━━━━━━━━━━━━━━━━━ 6s 1s/step"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"target": -1}, ArgumentError),
        ({"target": 1.5}, ArgumentError),
        ({"target": "ten"}, ArgumentTypeError),
        ({"target": float("nan")}, ArgumentTypeError),
        ({"target": 1, "verbose": 3}, ArgumentError),
        ({"target": 1, "width": -1}, ArgumentError),
    ],
)
def test_bad_arguments(arguments, error):
    with pytest.raises(error, match="Progbar"):
        Progbar(**arguments)


@pytest.mark.parametrize("values", [[("loss",)], 3, [1, 2]])
def test_bad_values_leave_the_bar_usable(capsys, clock, values):
    bar = Progbar(2)
    with pytest.raises(ArgumentTypeError, match=r"Progbar\.update"):
        bar.update(1, values)
    clock.now += 1
    bar.update(2, {"loss": 1.0})
    assert capsys.readouterr().out == "2/2 - 1s - 500ms/step - loss: 1.0000\n"


def test_integral_targets_of_other_types():
    assert [Progbar(one).target for one in (np.int64(3), 3.0, None, 0)] == [3, 3, None, 0]


def test_a_missing_standard_output_is_no_error(monkeypatch, clock):
    redirect(monkeypatch, None)
    for verbose, finalize in itertools.product((1, 2), (False, True)):
        Progbar(2, verbose=verbose).update(1, finalize=finalize)
