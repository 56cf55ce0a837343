"""Reads the few pickles that old data sets are made of without unpickling: values are rebuilt, no code is looked up.

A pickle is a program for a small stack machine (https://peps.python.org/pep-0307/), and some of its instructions call
any function by name. This machine knows those instructions alone by which dicts, lists, tuples, numbers, text and
NumPy arrays are written, and of functions the few that stand for arrays in them. All else is refused.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np

from hornbeam.errors import FileFormatError, UnsafeFileError

_FIX = "Delete the file; it is fetched again."
# One token for each small number, which these files have by the million.
_NUMBERS = re.compile(rb"(?:K.|M..|J....)+", re.DOTALL)
_NUMBER = re.compile(rb"K.|M..|J....", re.DOTALL)
_PLAIN = re.compile(r"[biuf][1248]")


class _Known:
    """A function that a pickle may name; it stands for itself and is never called."""

    def __init__(self, name: str) -> None:
        self.name = name


_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE, _BYTES = (
    _Known(one) for one in ("reconstruct", "ndarray", "dtype", "encode", "bytes")
)
_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _DTYPE,
    ("_codecs", "encode"): _ENCODE,  # how Python 3 writes bytes for Python 2,
    ("__builtin__", "bytes"): _BYTES,  # and empty ones
}


class _Unbuilt:
    """An array or a dtype before its BUILD instruction, and where the machine remembers it."""

    def __init__(self, kind: str | None = None) -> None:
        self.kind = kind  # of a dtype, such as "u1"
        self.places: list[int] = []


class _Tokens(dict):
    """The number that each token stands for."""

    def __missing__(self, token: bytes) -> int:
        value = self[token] = int.from_bytes(token[1:], "little", signed=token[:1] == b"J")
        return value


def read_pickled(content: bytes, where: str) -> Any:
    """The value that a pickle of protocol 2 to 4 holds.

    Args:
        content: The pickle, whole.
        where: What to call it in errors, such as the file's path.

    Returns:
        Dicts, lists, tuples, None, bools, ints, `str`, `bytes` (also for text of Python 2) and arrays; arrays of
        objects hold such values.

    Raises:
        ValueError: If it asks for anything else; nothing of it has run.
        OSError: If it is cut or damaged.

    >>> import pickle
    >>> read_pickled(pickle.dumps({"labels": [3, 700]}, protocol=2), "batch")
    {'labels': [3, 700]}
    """
    try:
        return _Machine(content, where).run()
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as problem:
        if isinstance(problem, UnsafeFileError):
            raise
        raise FileFormatError("a whole pickle", f"{type(problem).__name__}: {problem}", where, _FIX) from problem


class _Machine:
    def __init__(self, content: bytes, where: str) -> None:
        self.content, self.where, self.place = content, where, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}
        self.tokens = _Tokens()

    def run(self) -> Any:
        while True:
            run = _NUMBERS.match(self.content, self.place)
            if run is not None:
                self.stack.extend(map(self.tokens.__getitem__, _NUMBER.findall(run[0])))
                self.place = run.end()
            code = self.take(1)
            if code == b".":
                return self.result()
            step = _STEPS.get(code)
            if step is None:
                raise self.refused(f"the instruction {code!r} at place {self.place - 1}")
            step(self)

    def result(self) -> Any:
        (value,) = self.stack
        if self.marks or isinstance(value, (_Known, _Unbuilt)):
            raise ValueError("the end comes early")
        return value

    def refused(self, what: str) -> UnsafeFileError:
        return UnsafeFileError("a pickle of plain values and arrays", what, self.where, _FIX)

    # --- parts of the content ---

    def take(self, count: int) -> bytes:
        part = self.content[self.place : self.place + count]
        if len(part) != count:
            raise ValueError(f"{len(part)} bytes where {count} belong")
        self.place += count
        return part

    def size(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def sized(self, width: int) -> bytes:
        return self.take(self.size(width))

    def line(self) -> str:
        end = self.content.index(b"\n", self.place)
        text = self.content[self.place : end].decode("ascii")
        self.place = end + 1
        return text

    # --- the stack ---

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def above_mark(self) -> list[Any]:
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def last(self, count: int) -> None:
        if len(self.stack) < count:
            raise ValueError("too few values")
        values = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.push(values)

    def append(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise ValueError("something is appended to what is no list")
        target.extend(values)

    def put_items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise ValueError("a pair is put into what is no dict")
        target.update(zip(values[::2], values[1::2]))

    def remember(self, place: int) -> None:
        value = self.memory[place] = self.stack[-1]
        if type(value) is _Unbuilt:
            value.places.append(place)

    # --- arrays ---

    def named(self, module: Any, name: Any) -> None:
        if (module, name) not in _GLOBALS:
            raise self.refused(f"the name {module}.{name}")
        self.push(_GLOBALS[module, name])

    def reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack.pop()
        match function, arguments:
            case _Known(name="reconstruct"), (_Known(name="ndarray"), (0,), b"b"):
                self.push(_Unbuilt())
            case _Known(name="dtype"), (kind, _, _):
                text = kind.decode("ascii") if isinstance(kind, bytes) else kind
                if not isinstance(text, str) or not (_PLAIN.fullmatch(text) or text in ("O", "O8")):
                    raise self.refused(f"the dtype {kind!r}")
                self.push(_Unbuilt(text))
            case _Known(name="encode"), (str() as text, "latin1" | b"latin1"):
                self.push(text.encode("latin-1"))
            case _Known(name="bytes"), ():
                self.push(b"")
            case _:
                raise self.refused(
                    f"a call of {getattr(function, 'name', type(function).__name__)} with other arguments"
                )

    def build(self) -> None:
        state = self.stack.pop()
        unbuilt = self.stack.pop()
        if type(unbuilt) is not _Unbuilt:
            raise self.refused("a change of a finished value")
        built: Any = _dtype(unbuilt.kind, state) if unbuilt.kind else _array(state)
        for place in unbuilt.places:
            if self.memory[place] is unbuilt:
                self.memory[place] = built
        self.push(built)


def _dtype(kind: str | None, state: Any) -> np.dtype:
    _, order, subtype, names, fields, *_ = state
    if (subtype, names, fields) != (None, None, None):
        raise ValueError("a dtype of parts")
    order = order.decode("ascii") if isinstance(order, bytes) else order
    if order not in ("|", "<", ">", "="):
        raise ValueError(f"the order of bytes {order!r}")
    return np.dtype(object) if kind in ("O", "O8") else np.dtype(f"{order}{kind}")


def _array(state: Any) -> np.ndarray:
    version, shape, dtype, column_major, content = state
    if version != 1 or not isinstance(dtype, np.dtype) or any(type(one) is not int or one < 0 for one in shape):
        raise ValueError("an array with another header")
    count = int(np.prod(shape, dtype=object))
    if dtype.hasobject:
        if type(content) is not list or len(content) != count:
            raise ValueError(f"an array of shape {shape} without its {count} values")
        array = np.empty(count, object)
        for place, value in enumerate(content):
            array[place] = value
    else:
        if type(content) is not bytes or len(content) != count * dtype.itemsize:
            raise ValueError(f"an array of shape {shape} without its {count * dtype.itemsize} bytes")
        array = np.frombuffer(bytearray(content), dtype)
    return array.reshape(shape, order="F" if column_major else "C")


# What each instruction does; the letters are those of Python's pickletools.
_STEPS: dict[bytes, Any] = {
    b"\x80": lambda m: m.take(1),  # the protocol
    b"\x95": lambda m: m.take(8),  # a frame
    b"(": lambda m: m.marks.append(len(m.stack)),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"\x8a": lambda m: m.push(int.from_bytes(m.sized(1), "little", signed=True)),
    b"U": lambda m: m.push(m.sized(1)),
    b"T": lambda m: m.push(m.sized(4)),
    b"C": lambda m: m.push(m.sized(1)),
    b"B": lambda m: m.push(m.sized(4)),
    b"X": lambda m: m.push(m.sized(4).decode("utf-8")),
    b"\x8c": lambda m: m.push(m.sized(1).decode("utf-8")),
    b"]": lambda m: m.push([]),
    b"a": lambda m: m.append([m.stack.pop()]),
    b"e": lambda m: m.append(m.above_mark()),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.above_mark())),
    b"\x85": lambda m: m.last(1),
    b"\x86": lambda m: m.last(2),
    b"\x87": lambda m: m.last(3),
    b"}": lambda m: m.push({}),
    b"s": lambda m: m.put_items([m.stack.pop(-2), m.stack.pop()]),
    b"u": lambda m: m.put_items(m.above_mark()),
    b"q": lambda m: m.remember(m.size(1)),
    b"r": lambda m: m.remember(m.size(4)),
    b"\x94": lambda m: m.remember(len(m.memory)),
    b"h": lambda m: m.push(m.memory[m.size(1)]),
    b"j": lambda m: m.push(m.memory[m.size(4)]),
    b"c": lambda m: m.named(m.line(), m.line()),
    b"\x93": lambda m: m.named(m.stack.pop(-2), m.stack.pop()),
    b"R": lambda m: m.reduce(),
    b"b": lambda m: m.build(),
}
