"""Remembers how JAX arrays came about, for `GradientTape`: a trace of our own under which all is computed as usual.

While it records, each primitive that is bound in this thread passes by here, whoever bound it: our layers, raw
`jax.numpy`, a `jax.jit`ted function (one record), `jax.grad` or `jax.vmap`. Values stay what they are, concrete
arrays or tracers of an outer transform, and are told apart by identity. Gradients come from `jax.vjp` of the
recorded part that lies between sources and targets, run again; compiled, XLA merges the second run with the first.

It stands on `jax.core.Trace` and `jax.extend.core`, which JAX makes public for such interpreters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Trace, eval_jaxpr
from jax.extend.core import ClosedJaxpr, Jaxpr, set_current_trace, take_current_trace

from hornbeam.backend.base import Recorder
from hornbeam.errors import StateError


class Record(NamedTuple):
    """One step: `call(*inputs)` gives `outputs` again."""

    call: Callable[..., Any]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


class JaxRecorder(Recorder):
    """The list of what was computed from watched arrays."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.paused = False
        # by identity, watched arrays and what came of them; holding them keeps each identity theirs
        self.tracked: dict[int, Any] = {}
        self._used: set[int] = set()
        self._captured: dict[int, tuple[Any, list[Any]]] = {}
        self._trace: RecordingTrace | None = None
        self._entered: AbstractContextManager | None = None

    def start(self) -> None:
        self._trace = RecordingTrace(_current_trace(), self)
        self._entered = set_current_trace(self._trace)
        self._entered.__enter__()

    def stop(self) -> None:
        if self._entered is None or _current_trace() is not self._trace:
            raise StateError("the tape that was opened last to be closed first", "another one", "GradientTape")
        self._entered.__exit__(None, None, None)
        self._trace = self._entered = None

    def pause(self, paused: bool) -> None:
        self.paused = paused

    def watch(self, value: Any) -> None:
        self.tracked[id(value)] = value

    def unshared(self, value: Any) -> Any:
        with set_current_trace(self._trace.parent if self._trace is not None else _current_trace()):
            return jnp.array(value, copy=True)

    def is_connected(self, value: Any) -> bool:
        return id(value) in self.tracked

    def is_used(self, value: Any) -> bool:
        return id(value) in self._used

    def pullback(
        self, targets: Sequence[Any], sources: Sequence[Any]
    ) -> tuple[list[bool] | None, Callable[[Sequence[Any]], list[Any]]]:
        steps, connected = self._between(targets, sources)
        computed = {id(output) for step in steps for output in step.outputs}
        # A source that is computed from another one is not cut off from it: its gradient is that of a zero added to it.
        inner = {id(one): number for number, one in enumerate(sources) if id(one) in computed}

        def again(values: list[Any]) -> list[Any]:
            now = {id(one): value for one, value in zip(sources, values, strict=True) if id(one) not in inner}
            for step in steps:
                results = _as_tuple(step.call(*[now.get(id(one), one) for one in step.inputs]))
                for old, new in zip(step.outputs, results, strict=True):
                    if id(old) in inner:
                        new = new + values[inner[id(old)]]
                    if id(old) in self.tracked:
                        now[id(old)] = new
            return [now.get(id(one), one) for one in targets]

        start = [jnp.zeros_like(one) if id(one) in inner else one for one in sources]
        outputs, back = jax.vjp(again, start)

        def pull(upstream: Sequence[Any]) -> list[Any]:
            return back([_like(one, out) for one, out in zip(upstream, outputs, strict=True)])[0]

        return connected, pull

    def _between(self, targets: Sequence[Any], sources: Sequence[Any]) -> tuple[list[Record], list[bool]]:
        """The records on the way from sources to targets, and for each source whether there is a way."""
        reached = {id(one) for one in sources}
        below = []
        for record in self.records:
            if any(id(one) in reached for one in record.inputs):
                below.append(record)
                reached.update(id(one) for one in record.outputs if id(one) in self.tracked)
        needed = {id(one) for one in targets}
        steps = []
        for record in reversed(below):
            if any(id(one) in needed for one in record.outputs):
                steps.append(record)
                needed.update(id(one) for one in record.inputs if id(one) in reached)
        return steps[::-1], [id(one) in needed for one in sources]

    # --- what the trace says -------------------------------------------------------------------------------

    def sees(self, values: Sequence[Any]) -> bool:
        """Whether something is watched among `values` now."""
        return not self.paused and any(id(one) in self.tracked for one in values)

    def add(self, call: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Keeps one step."""
        self._used.update(id(one) for one in inputs)
        differentiable = [one for one in outputs if jnp.issubdtype(one.dtype, jnp.inexact)]
        if differentiable:
            self.records.append(Record(call, tuple(inputs), tuple(outputs)))
            self.tracked.update((id(one), one) for one in differentiable)

    def captured(self, params: dict[str, Any]) -> bool:
        """Whether a function among the parameters of a primitive has closed over something watched."""
        for jaxpr in _jaxprs(params):
            entry = self._captured.get(id(jaxpr))
            if entry is None:  # the entry holds the program, so that its identity stays its own
                entry = self._captured[id(jaxpr)] = (jaxpr, list(_constants(jaxpr)))
            if self.sees(entry[1]):
                return True
        return False


class RecordingTrace(Trace):
    """Hands each primitive to the trace around it and tells the recorder."""

    def __init__(self, parent: Any, recorder: JaxRecorder) -> None:
        super().__init__()
        self.parent = parent
        self.recorder = recorder

    def process_primitive(self, primitive: Any, args: Any, params: Any) -> Any:
        recorder = self.recorder
        if any(params.get("donated_invars", ())):  # what was recorded must not lose its memory
            params = {**params, "donated_invars": (False,) * len(params["donated_invars"])}
        if primitive.name == "jit" and recorder.captured(params):
            # followed step by step, where what the function closed over stands as an ordinary input
            program = params["jaxpr"]
            with set_current_trace(self):
                return eval_jaxpr(program.jaxpr, program.consts, *args)
        seen = recorder.sees(args)
        if recorder.captured(params):
            raise _hidden(primitive.name)
        with set_current_trace(self.parent):
            result = primitive.bind(*args, **params)
            if not seen:
                return result
            # an output that is an input would be one value with two histories
            old = {id(one) for one in args}
            outputs = [jnp.array(one, copy=True) if id(one) in old else one for one in _as_tuple(result)]
        if primitive.name != "stop_gradient":
            # run again, the step stands inside a larger program, which has options of its own
            again = {**params, "compiler_options_kvs": ()} if "compiler_options_kvs" in params else params
            recorder.add(lambda *values: primitive.bind(*values, **again), args, outputs)
        return outputs if primitive.multiple_results else outputs[0]

    def stage_value(self, value: Any) -> Any:
        with set_current_trace(self.parent):
            return self.parent.stage_value(value)

    def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, **rest: Any) -> Any:
        def process(trace: Any, args: Any) -> Any:
            return trace.process_custom_jvp_call(primitive, fun, jvp, args, **rest)

        return self._staged(primitive, process, tracers)

    def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, **rest: Any) -> Any:
        def process(trace: Any, args: Any) -> Any:
            return trace.process_custom_vjp_call(primitive, fun, fwd, bwd, args, **rest)

        return self._staged(primitive, process, tracers)

    def _staged(self, primitive: Any, process: Callable[[Any, Any], Any], args: Sequence[Any]) -> Any:
        """A function with a derivative of its own, made a program first: Python may run it only once."""

        def inside(*values: Any) -> Any:
            trace = _current_trace()
            with set_current_trace(trace):
                return process(trace, values)

        with set_current_trace(self.parent):
            program = jax.make_jaxpr(inside)(*args)
            count = len(program.consts)
            inputs = [*program.consts, *args]

            def call(*values: Any) -> Any:
                return eval_jaxpr(program.jaxpr, values[:count], *values[count:])

            if any(self.recorder.captured(equation.params) for equation in program.jaxpr.eqns):
                raise _hidden(primitive.name)
            old = {id(one) for one in inputs}
            outputs = [jnp.array(one, copy=True) if id(one) in old else one for one in call(*inputs)]
        if self.recorder.sees(inputs):
            self.recorder.add(call, inputs, outputs)
        return outputs


def _current_trace() -> Any:
    with take_current_trace() as trace:
        return trace


def _as_tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, (list, tuple)) else (result,)


def _like(upstream: Any, output: Any) -> Any:
    return jnp.broadcast_to(jnp.asarray(upstream, output.dtype), output.shape)


def _jaxprs(params: dict[str, Any]) -> Iterator[Any]:
    for value in params.values():
        for one in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(one, (ClosedJaxpr, Jaxpr)):
                yield one


def _constants(program: Any) -> Iterator[Any]:
    """What a program and those inside it have closed over."""
    if isinstance(program, ClosedJaxpr):
        yield from program.consts
        program = program.jaxpr
    for equation in program.eqns:
        for one in _jaxprs(equation.params):
            yield from _constants(one)


def _hidden(name: str) -> StateError:
    return StateError(
        "watched values as arguments", f"one that a function inside {name!r} has closed over", "GradientTape",
        "The tape cannot see it there: pass it to the function as an argument.",
    )
