"""Recurrences along time: the loop itself, and the LSTM, GRU and simple networks as wholes.

A backend that owns a kernel for one of the wholes puts it into its overrides under "lstm", "gru" or "rnn", with the
signature of the function here; where it cannot serve a case it returns `NotImplemented`, and the plain form runs.
Tensors are in batch order, [batch, steps, ...], outside and in time order, [steps, batch, ...], inside the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.backend.base import Backend
from hornbeam.ops.activation import sigmoid
from hornbeam.ops.trigonometry import tanh
from hornbeam.scope import Trace
from hornbeam.symbolic import KerasTensor, infer

xp = backend.xp

# whether the backend's scan is no more than a loop of Python, in which all is known step by step
_EAGER = type(backend).scan is Backend.scan

Step = Callable[[Any, Any], tuple[Any, Any]]


def in_time_order(x: Any) -> Any:
    """[batch, steps, ...] as [steps, batch, ...], and the reverse."""
    return xp.swapaxes(x, 0, 1)


def loop(
    step: Step,
    xs: Any,
    states: Any,
    mask: Any = None,
    *,
    backwards: bool = False,
    sequences: bool = True,
    unroll: bool | int = False,
    zero_masked: bool = False,
    output: Any = None,
) -> tuple[Any, Any, Any]:
    """Carries states along time.

    Args:
        step: Called with the tensors of a step and the states; returns the output and the next states.
        xs: Tensors [steps, batch, ...] in any structure.
        states: The first states, in any structure.
        mask: [steps, batch]: where it is False the states stay; or None.
        backwards: Whether to go from the last step to the first; the outputs then come in that order.
        sequences: Whether the outputs of all steps are wanted.
        unroll: True writes out all steps one by one, a number so many as one.
        zero_masked: Whether masked steps give zeros, rather than the output before.
        output: A `KerasTensor` like an output, or a structure of them; found by evaluation if None.

    Returns:
        The last output, all outputs [batch, steps, ...] or None, and the last states.
    """
    length = backend.shape(tree.flatten(xs)[0])[0]
    if unroll is True or _EAGER:
        return _written_out(step, xs, states, mask, length, backwards, sequences, zero_masked)
    inputs = (xs, mask)
    written: list[Any] = []
    if output is None:
        output, written = _followed(step, xs, states)
    last = tree.map_structure(lambda one: xp.zeros(one.shape, dtype=backend.native_dtype(one.dtype)), output)

    def body(carry: Any, part: Any) -> tuple[Any, Any]:
        before, previous, values = carry
        x, keep = part
        with Trace(list(zip(written, values, strict=True))) as trace:
            out, after = step(x, before)
            values = [trace.get(one) for one in written]
        out, after, previous = _kept(keep, out, after, before, previous, zero_masked)
        return (after, previous, values), (out if sequences else None)

    start = (states, last, [one.value for one in written])
    (states, last, values), outputs = backend.scan(body, start, inputs, length, backwards, unroll or 1)
    for variable, value in zip(written, values, strict=True):
        variable.assign(value)
    if not sequences:
        return last, None, states
    order = (lambda one: xp.flip(one, axis=0)) if backwards else (lambda one: one)
    return last, tree.map_structure(lambda one: in_time_order(order(one)), outputs), states


def _followed(step: Step, xs: Any, states: Any) -> tuple[Any, list[Any]]:
    """What a step gives, and the variables that it writes, such as seeds."""
    written: list[Any] = []

    def once(x: Any, before: Any) -> Any:
        with Trace() as trace:
            out, _ = step(x, before)
        known = {id(one) for one in written}
        written.extend(one for key, one in trace.written.items() if key not in known)
        return out

    like = tree.map_structure(lambda one: KerasTensor(backend.shape(one)[1:], backend.dtype(one)), xs)
    before = tree.map_structure(lambda one: KerasTensor(backend.shape(one), backend.dtype(one)), states)
    return infer(once, (like, before), {}), written


def _kept(keep: Any, out: Any, after: Any, before: Any, previous: Any, zero_masked: bool) -> tuple[Any, Any, Any]:
    """Output, states and last output of a step under its mask [batch]."""
    if keep is None:
        return out, after, out

    def where(new: Any, old: Any) -> Any:
        return xp.where(xp.reshape(keep, (*keep.shape, *(1,) * (len(new.shape) - 1))), new, old)

    after = tree.map_structure(where, after, before)
    replaced = tree.map_structure(xp.zeros_like, out) if zero_masked else previous
    out = tree.map_structure(where, out, replaced)
    return out, after, out


def _written_out(
    step: Step, xs: Any, states: Any, mask: Any, length: int, backwards: bool, sequences: bool, zero_masked: bool
) -> tuple[Any, Any, Any]:
    outputs = []
    out: Any = None
    for index in range(length - 1, -1, -1) if backwards else range(length):
        before, previous = states, out
        out, after = step(tree.map_structure(lambda one, i=index: one[i], xs), before)
        if mask is not None and previous is None:
            previous = tree.map_structure(xp.zeros_like, out)
        out, states, _ = _kept(None if mask is None else mask[index], out, after, before, previous, zero_masked)
        if sequences:
            outputs.append(out)
    if not sequences:
        return out, None, states
    return out, tree.map_structure(lambda *parts: xp.stack(parts, axis=1), *outputs), states


def _hooked(name: str) -> Callable[[Callable], Callable]:
    """Puts the backend's kernel, if it owns one, before the plain form."""

    def decorate(plain: Callable) -> Callable:
        kernel = backend.overrides.get(name)

        def apply(*args: Any, fused: bool | None = None, **kwargs: Any) -> Any:
            """The kernel unless `fused` is False; None if it must be the kernel and there is none for this case."""
            if kernel is not None and fused is not False:
                result = kernel(*args, **kwargs)
                if result is not NotImplemented:
                    return result
            return None if fused else plain(*args, **kwargs)

        apply.plain = plain
        return apply

    return decorate


def _affine(inputs: Any, kernel: Any, bias: Any) -> Any:
    """`inputs @ kernel + bias` for all steps at once, in time order."""
    return backend.linear(in_time_order(inputs), kernel, bias)


def _state_like(h: Any) -> KerasTensor:
    return KerasTensor(backend.shape(h), backend.dtype(h))


@_hooked("lstm")
def lstm(
    inputs: Any,
    h: Any,
    c: Any,
    mask: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    activation: Callable = tanh,
    recurrent_activation: Callable = sigmoid,
    backwards: bool = False,
    sequences: bool = True,
    unroll: bool = False,
    zero_masked: bool = False,
    noise: Any = None,
) -> tuple[Any, Any, list[Any]]:
    """Long short-term memory over all steps; S. Hochreiter and J. Schmidhuber, 1997.

    Args:
        inputs: [batch, steps, features].
        h: The first output [batch, units].
        c: The first cell state [batch, units].
        mask: [batch, steps] or None.
        kernel: [features, 4 * units]: input gate, forget gate, cell, output gate.
        recurrent: [units, 4 * units].
        bias: [4 * units] or None.
        activation: Of cell and output; `ops.tanh` itself where it is that.
        recurrent_activation: Of the gates; `ops.sigmoid` itself where it is that.
        backwards: Whether to go from the last step to the first.
        sequences: Whether the outputs of all steps are wanted.
        unroll: Whether to write out all steps one by one.
        zero_masked: Whether masked steps give zeros.
        noise: Factors [batch, units] of what the gates see of the output before; or None.

    Returns:
        The last output, all outputs or None, and the last [h, c].
    """

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        h, c = states
        z = x + backend.linear(h if noise is None else h * noise, recurrent, None)
        i, f, g, o = _parts(z, 4)
        c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
        h = recurrent_activation(o) * activation(c)
        return h, [h, c]

    return loop(
        step, _affine(inputs, kernel, bias), [h, c], None if mask is None else in_time_order(mask),
        backwards=backwards, sequences=sequences, unroll=unroll, zero_masked=zero_masked, output=_state_like(h),
    )


@_hooked("gru")
def gru(
    inputs: Any,
    h: Any,
    mask: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    recurrent_bias: Any,
    activation: Callable = tanh,
    recurrent_activation: Callable = sigmoid,
    reset_after: bool = True,
    backwards: bool = False,
    sequences: bool = True,
    unroll: bool = False,
    zero_masked: bool = False,
    noise: Any = None,
) -> tuple[Any, Any, list[Any]]:
    """Gated recurrent units over all steps; K. Cho et al., 2014.

    Args as in `lstm`, besides:
        kernel: [features, 3 * units]: update gate, reset gate, candidate.
        recurrent: [units, 3 * units].
        bias: [3 * units] or None.
        recurrent_bias: [3 * units] or None; only if `reset_after`.
        reset_after: Whether the reset gate acts after the product with `recurrent`, or before.
    """
    units = backend.shape(h)[-1]

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        (before,) = states
        seen = before if noise is None else before * noise
        if reset_after:
            z = backend.linear(seen, recurrent, recurrent_bias)
            gates = recurrent_activation(x[..., : 2 * units] + z[..., : 2 * units])
            update, reset = gates[..., :units], gates[..., units:]
            candidate = activation(x[..., 2 * units :] + reset * z[..., 2 * units :])
        else:
            gates = recurrent_activation(x[..., : 2 * units] + backend.linear(seen, recurrent[:, : 2 * units], None))
            update, reset = gates[..., :units], gates[..., units:]
            candidate = activation(x[..., 2 * units :] + backend.linear(reset * seen, recurrent[:, 2 * units :], None))
        after = update * before + (1 - update) * candidate
        return after, [after]

    return loop(
        step, _affine(inputs, kernel, bias), [h], None if mask is None else in_time_order(mask),
        backwards=backwards, sequences=sequences, unroll=unroll, zero_masked=zero_masked, output=_state_like(h),
    )


@_hooked("rnn")
def rnn(
    inputs: Any,
    h: Any,
    mask: Any,
    kernel: Any,
    recurrent: Any,
    bias: Any,
    activation: Callable = tanh,
    backwards: bool = False,
    sequences: bool = True,
    unroll: bool = False,
    zero_masked: bool = False,
    noise: Any = None,
) -> tuple[Any, Any, list[Any]]:
    """`h = activation(x @ kernel + bias + h @ recurrent)` over all steps; J. L. Elman, 1990. Args as in `lstm`."""

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        (before,) = states
        after = activation(x + backend.linear(before if noise is None else before * noise, recurrent, None))
        return after, [after]

    return loop(
        step, _affine(inputs, kernel, bias), [h], None if mask is None else in_time_order(mask),
        backwards=backwards, sequences=sequences, unroll=unroll, zero_masked=zero_masked, output=_state_like(h),
    )


def _parts(z: Any, count: int) -> list[Any]:
    size = backend.shape(z)[-1] // count
    return [z[..., i * size : (i + 1) * size] for i in range(count)]
