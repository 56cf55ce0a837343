"""Connectionist temporal classification: a loss over all alignments of a label sequence, and decoding.

A. Graves et al., "Connectionist temporal classification" (2006), https://doi.org/10.1145/1143844.1143891.
"""

from __future__ import annotations

from typing import Any

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, UnknownNameError
from hornbeam.ops.activation import log_softmax
from hornbeam.ops.define import Tensor, TensorLike, as_float, as_tensor, op
from hornbeam.symbolic import KerasTensor

xp = backend.xp

_NEVER = -1e5  # the logarithm of what does not happen: finite, so that gradients stay so


def _single(x: Any) -> Any:
    x = as_float(x)
    return backend.cast(x, "float32") if backend.dtype(x) in ("float16", "bfloat16") else x


def _check_loss(target: Any, output: Any, target_length: Any, output_length: Any) -> None:
    fits = len(target) == 2 and len(output) == 3 and len(target_length) == 1 and len(output_length) == 1
    batches = {one[0] for one in (target, output, target_length, output_length) if one and one[0] is not None}
    if not fits or len(batches) > 1:
        raise ArgumentError(
            "target [batch, labels], output [batch, steps, classes] and one length of each per sample",
            f"shapes {tuple(target)}, {tuple(output)}, {tuple(target_length)}, {tuple(output_length)}", "ctc_loss",
        )


def _loss_rule(target: Any, output: Any, target_length: Any, output_length: Any, **_: Any) -> KerasTensor:
    given = (one if hasattr(one, "shape") else backend.asarray(one) for one in (target, target_length, output_length))
    labels, label_counts, step_counts = (one.shape for one in given)
    _check_loss(labels, output.shape, label_counts, step_counts)
    return KerasTensor((output.shape[0],), "float64" if output.dtype == "float64" else "float32")


def _log_sum(*parts: Any) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = xp.logaddexp(total, part)
    return total


@op("keras.src.ops.nn.CTCLoss", tensors=["target", "output", "target_length", "output_length"], spec=_loss_rule)
def ctc_loss(
    target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike, mask_index: int = 0
) -> Tensor:
    """Minus the logarithm of the probability that the steps, blanks and repetitions removed, spell the target.

    Args:
        target: Class indices `[batch, labels]`.
        output: Logits `[batch, steps, classes]`.
        target_length: How many labels count, `[batch]`.
        output_length: How many steps count, `[batch]`.
        mask_index: The class that stands for blank.

    Returns:
        `[batch]`, in single precision at least; about 1e5 where the steps cannot spell the target.

    Raises:
        ValueError: If the shapes do not fit.
    """
    target, target_length, output_length = (
        backend.cast(as_tensor(one), "int32") for one in (target, target_length, output_length)
    )
    output = _single(output)
    _check_loss(target.shape, output.shape, target_length.shape, output_length.shape)
    batch, labels = target.shape
    steps = output.shape[1]
    logs = log_softmax.definition.body(output, -1)

    # states: blank, label, blank, label, ..., blank
    blanks = xp.full((batch, labels, 1), mask_index, target.dtype)
    states = xp.reshape(xp.concatenate([blanks, target[..., None]], axis=-1), (batch, 2 * labels))
    states = xp.concatenate([states, blanks[:, :1, 0]], axis=-1) if labels else xp.full((batch, 1), mask_index, "int32")
    emitted = xp.take_along_axis(logs, xp.broadcast_to(states[:, None], (batch, steps, states.shape[1])), axis=-1)
    # a label may follow another directly unless they are equal: then a blank must part them
    same = xp.concatenate([xp.ones((batch, min(2, states.shape[1])), bool), states[:, 2:] == states[:, :-2]], axis=-1)
    may_skip = ~same & (states != mask_index)
    last = 2 * target_length
    positions = xp.arange(states.shape[1])

    def shifted(score: Any, count: int) -> Any:
        filler = xp.full((batch, min(count, score.shape[1])), _NEVER, score.dtype)
        return xp.concatenate([filler, score[:, : max(score.shape[1] - count, 0)]], axis=-1)

    def step(score: Any, both: Any) -> tuple[Any, Any]:
        index, emission = both
        stay_or_move = _log_sum(score, shifted(score, 1), xp.where(may_skip, shifted(score, 2), _NEVER))
        updated = xp.maximum(stay_or_move + emission, xp.full_like(score, _NEVER))
        return xp.where((index < output_length)[:, None], updated, score), xp.zeros((0,), score.dtype)

    start = xp.where(positions < 2, emitted[:, 0], _NEVER) if steps else xp.full(states.shape, _NEVER, output.dtype)
    if steps > 1:
        rest = (xp.arange(1, steps), xp.moveaxis(emitted, 1, 0)[1:])
        start, _ = backend.scan(step, start, rest, steps - 1, False, 1)
    ends = (positions == last[:, None]) | ((positions == last[:, None] - 1) & (last[:, None] > 0))
    final = xp.where(ends, start, _NEVER)
    largest = xp.max(final, axis=-1)
    held = backend.stop_gradient(largest)
    return -(xp.log(xp.sum(xp.where(ends, xp.exp(final - held[:, None]), 0), axis=-1)) + held)


# --- decoding ----------------------------------------------------------------------------------------------------


def _check_decode(inputs: Any, lengths: Any, strategy: Any) -> None:
    if strategy not in ("greedy", "beam_search"):
        raise UnknownNameError("strategy", strategy, ("greedy", "beam_search"), "ctc_decode")
    if len(inputs) != 3 or len(lengths) != 1:
        raise ArgumentError(
            "inputs [batch, steps, classes] and one length per sample", f"shapes {tuple(inputs)} and {tuple(lengths)}",
            "ctc_decode",
        )


def _decode_rule(
    inputs: Any, sequence_lengths: Any, strategy: str = "greedy", top_paths: int = 1, **_: Any
) -> tuple[KerasTensor, KerasTensor]:
    lengths = sequence_lengths if hasattr(sequence_lengths, "shape") else backend.asarray(sequence_lengths)
    _check_decode(inputs.shape, lengths.shape, strategy)
    batch, steps, _ = inputs.shape
    paths = top_paths if strategy == "beam_search" else 1
    dtype = "float64" if inputs.dtype == "float64" else "float32"
    return KerasTensor((paths, batch, steps), "int32"), KerasTensor((batch, paths), dtype)


@op("keras.src.ops.nn.CTCDecode", tensors=["inputs", "sequence_lengths"], spec=_decode_rule)
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The label sequences that the steps spell most probably.

    Args:
        inputs: Scores `[batch, steps, classes]`, logits for "beam_search".
        sequence_lengths: How many steps count, `[batch]`.
        strategy: "greedy" takes the best class of each step; "beam_search" adds up the alignments of a label sequence.
        beam_width: How many candidates a beam search keeps.
        top_paths: How many sequences a beam search gives.
        merge_repeated: Whether equal neighbours count as one; a beam search always merges them.
        mask_index: The class that stands for blank.

    Returns:
        int32 `[paths, batch, steps]`, filled up with -1; and `[batch, paths]`: for "greedy" minus the sum of the best
        scores, for "beam_search" the logarithms of the probabilities.

    Raises:
        ValueError: If the shapes do not fit or the strategy is unknown.
    """
    inputs = _single(inputs)
    lengths = backend.cast(as_tensor(sequence_lengths), "int32")
    _check_decode(inputs.shape, lengths.shape, strategy)
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    return _beam_search(inputs, lengths, beam_width, top_paths, mask_index)


def _greedy(inputs: Any, lengths: Any, merge_repeated: bool, blank: int) -> tuple[Any, Any]:
    batch, steps, _ = inputs.shape
    best = backend.cast(xp.argmax(inputs, axis=-1), "int32")
    counts = xp.arange(steps) < lengths[:, None]
    score = -xp.sum(xp.where(counts, xp.max(inputs, axis=-1), 0), axis=-1)[:, None]
    kept = counts & (best != blank)
    if merge_repeated:
        kept = kept & xp.concatenate([xp.ones((batch, 1), bool), best[:, 1:] != best[:, :-1]], axis=-1)
    # what is kept moves to the front, in order
    order = xp.argsort(xp.where(kept, 0, 1), axis=-1, stable=True)
    moved = xp.take_along_axis(xp.where(kept, best, -1), order, axis=-1)
    return moved[None], score


def _beam_search(inputs: Any, lengths: Any, width: int, paths: int, blank: int) -> tuple[Any, Any]:
    """Candidates are prefixes; each has one score for ending in blank and one for ending in its last label."""
    batch, steps, classes = inputs.shape
    if paths > width:
        raise ArgumentError("`top_paths` not above `beam_width`", f"{paths} and {width}", "ctc_decode")
    logs = log_softmax.definition.body(inputs, -1)
    low = xp.full((batch, width), _NEVER, logs.dtype)
    first = xp.arange(width) == 0
    labels = [one for one in range(classes) if one != blank]
    label_row = backend.asarray(labels, "int32") if labels else xp.zeros((0,), "int32")
    prefixes = xp.full((batch, width, steps), -1, "int32")
    state = (prefixes, xp.zeros((batch, width), "int32"), xp.where(first, 0.0, low), low)

    def step(state: tuple, both: Any) -> tuple[tuple, Any]:
        index, row = both
        prefixes, sizes, blank_score, label_score = state
        last = xp.take_along_axis(prefixes, xp.maximum(sizes - 1, 0)[..., None], axis=-1)[..., 0]
        either = xp.logaddexp(blank_score, label_score)
        # the same prefix, by a blank or by repeating its last label
        stay_blank = either + row[:, blank : blank + 1]
        repeat = xp.take_along_axis(row, xp.maximum(last, 0), axis=-1)
        stay_label = xp.where(sizes > 0, label_score + repeat, _NEVER)
        # one label more; after the same label only if a blank came between
        grown = xp.where(last[..., None] == label_row, blank_score[..., None], either[..., None])
        grown = grown + xp.take(row, label_row, axis=-1)[:, None]
        at = xp.arange(steps) == sizes[..., None]
        longer = xp.where(at[:, :, None], label_row[:, None], prefixes[:, :, None])
        total = width * len(labels)
        longer = xp.reshape(longer, (batch, total, steps))
        grown = xp.reshape(grown, (batch, total))
        # a longer prefix may be one that is already there: its score goes to that one
        equal = xp.all(longer[:, :, None] == prefixes[:, None], axis=-1) & (either > _NEVER / 2)[:, None]
        taken = xp.any(equal, axis=-1)
        given = xp.max(xp.where(equal, grown[..., None], _NEVER), axis=1) if total else low
        stay_label = xp.logaddexp(stay_label, given)
        all_prefixes = xp.concatenate([prefixes, longer], axis=1)
        all_sizes = xp.concatenate([sizes, xp.repeat(sizes + 1, len(labels), axis=1)], axis=1)
        all_blank = xp.concatenate([stay_blank, xp.full((batch, total), _NEVER, row.dtype)], axis=1)
        all_label = xp.concatenate([stay_label, xp.where(taken, _NEVER, grown)], axis=1)
        order = xp.argsort(-xp.logaddexp(all_blank, all_label), axis=-1, stable=True)[:, :width]
        chosen = (
            xp.take_along_axis(all_prefixes, order[..., None], axis=1),
            *(xp.maximum(xp.take_along_axis(one, order, axis=1), floor) for one, floor in (
                (all_sizes, 0), (all_blank, _NEVER), (all_label, _NEVER))),
        )
        live = index < lengths
        return tuple(
            xp.where(xp.reshape(live, (batch, *(1,) * (len(old.shape) - 1))), new, old)
            for new, old in zip(chosen, state, strict=True)
        ), xp.zeros((0,), row.dtype)

    state, _ = backend.scan(step, state, (xp.arange(steps), xp.moveaxis(logs, 1, 0)), steps, False, 1)
    scores = xp.logaddexp(state[2], state[3])
    order = xp.argsort(-scores, axis=-1, stable=True)[:, :paths]
    sequences = xp.take_along_axis(state[0], order[..., None], axis=1)
    return xp.moveaxis(sequences, 1, 0), xp.take_along_axis(scores, order, axis=1)
