"""Steps on several replicas of a `tf.distribute` strategy, and what variables are in one of them.

A replica takes its part of the rows of a batch, and its losses count by that part. Optimizers sum gradients over all
replicas, so that each one then makes the same update on its own copy of a variable; only copies that say so are merged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import tree
from hornbeam.backend.tensorflow.framework import tf
from hornbeam.errors import ArgumentError


class _Here(threading.local):
    # the part of a batch that the replica which runs in this thread works on
    share: float | None = None


_here = _Here()
_MERGED = (tf.VariableAggregation.MEAN, tf.VariableAggregation.SUM)

AGGREGATIONS = {
    None: tf.VariableAggregation.NONE, "none": tf.VariableAggregation.NONE, "mean": tf.VariableAggregation.MEAN,
    "sum": tf.VariableAggregation.SUM, "only_first_replica": tf.VariableAggregation.ONLY_FIRST_REPLICA,
}
SYNCHRONIZATIONS = {
    None: tf.VariableSynchronization.AUTO, "auto": tf.VariableSynchronization.AUTO,
    "none": tf.VariableSynchronization.NONE, "on_write": tf.VariableSynchronization.ON_WRITE,
    "on_read": tf.VariableSynchronization.ON_READ,
}


def strategy() -> Any:
    """The strategy whose scope surrounds this code, or None."""
    return tf.distribute.get_strategy() if tf.distribute.has_strategy() else None


def replica() -> int | None:
    """The number of the replica that runs here, if there are several of them."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return int(tf.get_static_value(context.replica_id_in_sync_group))


def share() -> float:
    """The part of the whole batch that the rows of this replica are."""
    if _here.share is not None:
        return _here.share
    context = tf.distribute.get_replica_context()
    return 1.0 if context is None else 1.0 / context.num_replicas_in_sync


def own(handle: Any) -> Any:
    """What is assigned to here: in a replica its copy of a variable, unless the variable says how copies are merged."""
    if not isinstance(handle, tf.distribute.DistributedValues) or handle.aggregation in _MERGED:
        return handle
    place = replica()
    return handle if place is None else handle.values[place]


def copies(*handles: Any) -> list[tuple[Any, ...]]:
    """The plain variables behind some that belong together, for each replica that is written from here."""
    if not isinstance(handles[0], tf.distribute.DistributedValues):
        return [handles]
    place = replica()
    places = range(len(handles[0].values)) if place is None else [place]
    return [tuple(one.values[each] for one in handles) for each in places]


def summed(gradients: Sequence[Any]) -> list[Any]:
    """Gradients summed over the replicas that are in this step together."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1 or not gradients:
        return list(gradients)
    return list(context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients)))


def run(strategy: Any, step: Callable[[Any], Any], data: Any, kept: Sequence[Any]) -> list[Any]:
    """The results of a step on each replica that has rows of the batch.

    Args:
        strategy: The strategy.
        step: Takes its part of the data.
        data: A tree of tensors with the rows of a whole batch.
        kept: Handles of variables that a replica without rows leaves as they are. It goes along nevertheless, on the
            whole batch and with a loss that counts for nothing, since replicas wait for each other.
    """
    rows = next((one.shape[0] for one in tree.flatten(data) if getattr(one, "shape", ())), None)
    if rows is None:
        raise ArgumentError("a batch of a known number of rows", "none", f"a step on {type(strategy).__name__}")
    count = strategy.num_replicas_in_sync
    ends = [rows * (place + 1) // count for place in range(count)] if rows >= count else list(range(1, rows + 1))

    def rows_of(place: int, one: Any) -> Any:
        if not getattr(one, "shape", ()) or one.shape[0] != rows or place >= len(ends):
            return one
        return one[ends[place - 1] if place else 0 : ends[place]]

    def in_replica(data: Any) -> Any:
        place = replica() or 0
        idle = place >= len(ends)
        before = [tf.identity(one.values[place].value()) for one in kept] if idle else []
        _here.share = 0.0 if idle else (ends[place] - (ends[place - 1] if place else 0)) / rows
        try:
            result = step(tree.map_structure(lambda one: rows_of(place, one), data))
        finally:
            _here.share = None
        for one, value in zip(kept if idle else (), before, strict=True):
            one.values[place].assign(value, read_value=False)
        return list(tree.flatten(result)), tree.structure_of(result)

    structures: list[Any] = []

    def flat(data: Any) -> list[Any]:
        leaves, structure = in_replica(data)
        structures.append(structure)
        return leaves

    found = strategy.run(flat, args=(data,))
    parts = [strategy.experimental_local_results(one) for one in found]
    return [
        tree.unflatten(structures[0], [one[place] for one in parts]) for place in range(min(len(ends), count))
    ]
