"""`model.summary()` prints what PyPI's keras prints for the same model, in a terminal byte for byte."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest

from hornbeam.errors import ArgumentError, ArgumentTypeError
from hornbeam.models.summary import _memory, print_summary

pytestmark = pytest.mark.backend_free

ROOT = Path(__file__).resolve().parents[2]

# Each builds `m`. They are run on Keras, and their table is drawn by Keras and by us.
MODELS = {
    "the guide's": """
m = keras.Sequential([L.Input((28, 28, 1)), L.Conv2D(64, 3), L.Conv2D(64, 3), L.MaxPooling2D(2), L.Conv2D(128, 3),
                      L.Conv2D(128, 3), L.GlobalAveragePooling2D(), L.Dropout(0.5), L.Dense(10)])
""",
    "empty": "m = keras.Sequential()",
    "unbuilt": "m = keras.Sequential([L.Dense(3), L.Dropout(0.5), L.Dense(2)])",
    "chain": "x = L.Input((4,)); m = keras.Model(x, L.Dense(3)(L.Dense(2)(x)))",
    "two inputs, a shared layer, an op": """
a, b, d = L.Input((4,), name="a"), L.Input((4,), name="b"), L.Dense(8, name="shared")
m = keras.Model([a, b], L.Dense(1)(L.Concatenate()([d(a), d(b)]) + 1.0))
""",
    "two outputs": 'a = L.Input((4,), name="a"); m = keras.Model(a, {"p": L.Dense(1)(a), "q": L.Dense(2)(a)})',
    "residual": "a = L.Input((4,)); h = L.Dense(4)(a); m = keras.Model(a, h + a)",
    "the same tensor twice": "a = L.Input((4,)); m = keras.Model(a, L.Add()([a, a]))",
    "one layer twice in a row": "a = L.Input((4,)); d = L.Dense(4); m = keras.Model(a, d(d(a)))",
    "a layer used elsewhere too": """
x, y, d = L.Input((4,), name="x"), L.Input((4,), name="y"), L.Dense(4)
d(x); d(x); z = d(y); d(z)
m = keras.Model(y, L.Add()([z, y]))
""",
    "an op with several outputs": "a = L.Input((4,)); m = keras.Model(a, keras.ops.split(a, 2, axis=1))",
    "a layer with several outputs": """
a = L.Input((None, 4)); m = keras.Model(a, L.LSTM(3, return_state=True)(a))
""",
    "models in a model": """
a, b = L.Input((4,)), L.Input((4,))
inner = keras.Sequential([L.Input((4,)), L.Dense(3), L.Dense(2)], name="inner")
deep = keras.Sequential([L.Input((4,)), inner, L.Dense(5)], name="deep")
i = L.Input((5,), name="i")
graph = keras.Model(i, i + L.Dense(5)(i), name="graph")
m = keras.Model([a, b], L.Add()([graph(deep(a)), deep(b)]))
""",
    "frozen": """
inner = keras.Sequential([L.Dense(2, trainable=False), L.Dense(3)])
m = keras.Sequential([L.Input((4,)), inner, L.BatchNormalization(), L.ReLU(), L.Dense(3, trainable=False)])
""",
    "subclassed, unbuilt": """
class M(keras.Model):
    def __init__(self):
        super().__init__()
        self.d, self.e, self.n = L.Dense(3), L.Dropout(0.5), keras.Sequential([L.Dense(3)])
    def call(self, x):
        return self.n(self.e(self.d(x)))
m = M()
""",
    "subclassed, built": """
class M(keras.Model):
    def __init__(self):
        super().__init__()
        self.d, self.e, self.n = L.Dense(3), L.Dropout(0.5), keras.Sequential([L.Dense(3)])
    def call(self, x):
        return self.n(self.e(self.d(x)))
m = M()
m(np.ones((2, 4), "float32"))
""",
    "sizes and dtypes": """
m = keras.Sequential([L.Input((400,)), L.Dense(500, dtype="float16", name="x" * 60), L.Dense(5, dtype="bfloat16"),
                      L.Dense(2**20)])
""",
    "names with brackets": """
m = keras.Sequential([L.Input((4,)), L.Dense(2, name="[red]x")], name="m[bold]")
""",
    "a compiled model before training": """
m = keras.Sequential([L.Input((4,)), L.Dense(2)])
m.compile("adam", "mse")
""",
    "a model with optimizer state": """
m = keras.Sequential([L.Input((4,)), L.Dense(2)])
m.compile("adam", "mse")
m.optimizer.build(m.trainable_variables)
""",
}
OPTIONS = [
    {},
    {"expand_nested": True, "show_trainable": True},
    {"show_trainable": True, "line_length": 72},
    {"line_length": 50},
]
PROGRAM = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
import keras
L = keras.layers
from hornbeam.models.summary import print_summary
found = {}
for name, source in json.loads(sys.argv[1]).items():
    scope = {"keras": keras, "L": L, "np": np}
    exec(source, scope)
    found[name] = []
    for options in json.loads(sys.argv[2]):
        pair = []
        scope["m"].summary(print_fn=pair.append, **options)
        print_summary(scope["m"], print_fn=pair.append, **options)
        found[name].append(pair)
print(json.dumps(found))
"""
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "numpy", "TERM": "xterm-256color"}


@pytest.fixture(scope="module")
def tables() -> dict[str, list[list[str]]]:
    """For each model and each set of options, the table drawn by Keras and by us."""
    given = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(MODELS), json.dumps(OPTIONS)],
        capture_output=True, text=True, cwd=ROOT, env={**given, **ENVIRONMENT}, timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("which", range(len(OPTIONS)))
@pytest.mark.parametrize("name", MODELS)
def test_text_is_that_of_keras(tables, name, which):
    theirs, ours = tables[name][which]  # two, so `print_fn` was called once by each
    assert ours == theirs


def test_summary_in_a_terminal_is_that_of_keras():
    program = """
import keras
from hornbeam.models.summary import print_summary
L = keras.layers
a, b, d = L.Input((4,), name="a"), L.Input((4,), name="b"), L.Dense(8, name="shared", trainable=False)
m = keras.Model([a, b], L.Dense(1)(L.Concatenate()([d(a), d(b)]) + 1.0))
for one in (m, keras.Sequential([L.Dense(2)])):
    print("##", flush=True)
    one.summary(show_trainable=True)
    print("##", flush=True)
    print_summary(one, show_trainable=True)
"""
    for columns in (72, 200):  # each starts Keras anew
        _, theirs, ours, theirs_too, ours_too = run_in_terminal(["-c", program], columns).split("##\n")
        assert "\x1b[38;5;33mDense" in ours
        assert ours == theirs
        assert ours_too == theirs_too


def run_in_terminal(arguments: list[str], columns: int) -> str:
    """All that a program writes to a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=slave, stdout=slave, stderr=subprocess.PIPE,
        env={**given, **ENVIRONMENT}, cwd=ROOT,
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


# Without Keras: a model is anything with these attributes


class Dense:
    built = True
    trainable = True

    def __init__(self, name: str, shape: tuple, weights: int) -> None:
        self.name = name
        self.weights = [SimpleNamespace(shape=(weights,), dtype="float32")] if weights else []
        self.shape = shape

    def get_build_config(self) -> dict:
        return {"input_shape": (None, 1)}

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.shape


def chain(count: int = 3) -> SimpleNamespace:
    layers = [Dense(f"dense_{i}", (None, i + 1), i) for i in range(count)]
    weights = [one for layer in layers for one in layer.weights]
    return SimpleNamespace(
        name="chain", layers=layers, weights=weights, trainable_weights=weights, non_trainable_weights=[]
    )


def text_of(model, **options) -> str:
    texts: list[str] = []
    print_summary(model, print_fn=texts.append, **options)
    (text,) = texts
    return text


def test_table_of_anything_that_looks_like_a_model():
    assert text_of(chain(), line_length=50).splitlines() == [
        'Model: "chain"',
        "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓",
        "┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃",
        "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩",
        "│ dense_0 (Dense)     │ (None, 1)      │       0 │",
        "├─────────────────────┼────────────────┼─────────┤",
        "│ dense_1 (Dense)     │ (None, 2)      │       1 │",
        "├─────────────────────┼────────────────┼─────────┤",
        "│ dense_2 (Dense)     │ (None, 3)      │       2 │",
        "└─────────────────────┴────────────────┴─────────┘",
        " Total params: 3 (12.00 B)",
        " Trainable params: 3 (12.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_redirected_output_is_plain(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_summary(chain())
    written = capsys.readouterr().out
    assert not re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", written)
    assert written == text_of(chain())


def test_redirected_output_without_unicode():
    program = "import test_summary as t; from hornbeam.models.summary import print_summary; print_summary(t.chain())"
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}", "PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 0, result.stderr
    assert "| dense_1 (Dense)" in result.stdout
    assert "?" not in result.stdout


@pytest.mark.parametrize("line_length", [30, 80, 81, 120, 300])
def test_any_width_is_kept(line_length):
    rows = text_of(chain(), line_length=line_length).splitlines()[1:10]
    assert {len(row) for row in rows} == {line_length}
    assert line_length < 80 or "Param #" in rows[1]


@pytest.mark.parametrize(
    ("positions", "widths"),
    [
        ([0.5, 0.75, 1.0], [50, 25, 25]),
        ([50, 75, 100], [50, 25, 25]),
        ((20, 60, 100), [20, 40, 40]),
    ],
)
def test_positions(positions, widths):
    top = text_of(chain(), positions=positions, line_length=110).splitlines()[1]
    assert [len(one) - 2 for one in top[1:-1].split("┳")] == pytest.approx(widths, abs=5)


@pytest.mark.parametrize(
    ("layer_range", "shown"),
    [
        (None, [0, 1, 2, 3, 4]),
        (["dense_1", "dense_3"], [1, 2, 3]),
        (("dense_3", "dense_1"), [1, 2, 3]),
        (["dense_[23]", "dense_4"], [2, 3, 4]),
        (["dense_2", "dense_2"], [2]),
    ],
)
def test_layer_range(layer_range, shown):
    text = text_of(chain(5), layer_range=layer_range)
    assert [int(one) for one in re.findall(r"dense_(\d)", text)] == shown
    assert "Total params: 10 " in text


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"layer_range": ["dense_1"]}, ArgumentError, "two layer names"),
        ({"layer_range": "ab"}, ArgumentError, "two layer names"),
        ({"layer_range": ["dense_1", 3]}, ArgumentError, "two layer names"),
        ({"layer_range": ["dense_1", "convolution"]}, ArgumentError, "'convolution'.*dense_0, dense_1, dense_2"),
        ({"layer_range": ["dense_1", "("]}, ArgumentError, r"'\('"),
        ({"positions": [0.5, 1.0]}, ArgumentError, "3 rising positions"),
        ({"positions": [0.5, 0.4, 1.0]}, ArgumentError, "3 rising positions"),
        ({"positions": []}, ArgumentError, "3 rising positions"),
        ({"line_length": 0}, ArgumentError, "at least 1"),
        ({"line_length": 50.5}, ArgumentTypeError, "whole number"),
        ({"line_length": "80"}, ArgumentTypeError, "whole number"),
        ({"print_fn": "print"}, ArgumentTypeError, "callable"),
    ],
)
def test_bad_arguments(capsys, options, error, says):
    with pytest.raises(error, match=f"summary of 'chain'.*{says}"):
        print_summary(chain(), **options)
    assert capsys.readouterr().out == ""


def test_a_layer_that_fails_to_say_its_shape_is_still_listed():
    model = chain()
    model.layers[1].compute_output_shape = lambda _: 1 / 0
    assert "│ dense_1 (Dense)                 │ ?  " in text_of(model)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (260298 * 4, "1016.79 KB"), (2**40, "1.00 TB"),
     (2**62, "4096.00 PB")],
)
def test_memory(size, text):
    assert _memory(size) == text


def test_graphs_of_our_own_nodes():
    from hornbeam.graph import Function
    from hornbeam.symbolic import KerasTensor, Operation

    class Join(Operation):
        def compute_output_spec(self, *tensors):
            return KerasTensor((None, sum(one.shape[1] for one in tensors)))

    class Split(Operation):
        def compute_output_spec(self, x):
            return [KerasTensor((None, 1)), KerasTensor((None, 2))]

    first, second = KerasTensor((None, 1)), KerasTensor((None, 2))
    left, right = Split(name="split")(Join(name="join")(first, second))
    join = Join(name="again")
    graph = Function([first, second], join(right, join(left)))
    model = SimpleNamespace(
        name="graph", layers=[], operations=graph.operations, inputs=graph.inputs, outputs=graph.outputs,
        weights=[], trainable_weights=[], non_trainable_weights=[],
    )
    rows = [line for line in text_of(model, line_length=170).splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]
    assert cells == [
        ["join (Join)", "(None, 3)", "0", "-"],
        ["split (Split)", "[(None, 1), (None, 2)]", "0", "join[0][0]"],
        ["again (Join)", "(None, 3)", "0", "split[0][0], split[0][1], again[0][0]"],
    ]
