"""`AdaptingLayer`: layers that learn their state from data before training, and the one walk over such data.

Sources are recognised by what they can do (arrays, iterables, `as_numpy_iterator`), so that no library is imported
and no class of the floors above is named.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, ValueStateError, describe
from hornbeam.layers.preprocessing.host_layer import TwoSidedLayer, as_array
from hornbeam.scope import context

# Rows that are read together from an array that lies in a file.
ROWS = 65536


def as_host(value: Any) -> np.ndarray:
    """One piece of data of any library (array, tensor, column, string, number) as a NumPy array.

    Strings come back as they came, those of lists in arrays of objects: as arrays of `str`, all would be as long as the
    longest.

    Args:
        value: Anything that NumPy can hold or that has `numpy()` or `__array__`.

    Raises:
        TypeError: For a tuple or a dict, which hold several pieces.
    """
    if isinstance(value, tuple) and len(value) == 1:  # a batch of inputs alone, as some data sets write it
        (value,) = value
    if isinstance(value, (tuple, Mapping)):
        raise ArgumentTypeError(
            "one array for each batch", describe(value), "adapt",
            "Take the inputs out first, such as with `dataset.map(lambda x, y: x)`.",
        )
    return as_array(value, "adapt")


def is_whole(data: Any) -> bool:
    """Whether `data` has all its rows along a first axis, in place of yielding batches of them."""
    if isinstance(data, (list, str, bytes, int, float)) or backend.is_array(data):
        return True
    if isinstance(data, tuple):  # a tuple of numbers or strings is one array, a tuple of arrays is not
        return all(isinstance(one, (str, bytes, int, float, np.generic, list)) for one in data)
    return hasattr(data, "__array__") or (hasattr(data, "shape") and hasattr(data, "dtype"))


def batches(data: Any, batch_size: int | None = None, steps: int | None = None) -> Iterator[np.ndarray]:
    """The data of `adapt` piece by piece, as NumPy arrays; never all of it in memory unless it was given so.

    Args:
        data: An array of any library, rows of an HDF5 file, a list, a column of a frame; or what yields batches
            of them: a dataset, a loader, a `tf.data.Dataset`, a `PyDataset`, a generator.
        batch_size: Rows in a batch, for arrays only; all at once if None, or `ROWS` from an array in a file.
        steps: How many batches are taken; all if None.

    Yields:
        Arrays, at least one.

    Raises:
        ValueError: If there are no data, or for numbers below 1.
        TypeError: For data of no known kind.
    """
    for number, name in ((batch_size, "batch_size"), (steps, "steps")):
        if number is not None and (isinstance(number, bool) or not hasattr(number, "__index__") or number < 1):
            raise ArgumentError(f"{name} to be a positive integer or None", repr(number), "adapt")
    found = False
    for piece in itertools.islice(_pieces(data, batch_size), steps):
        if piece.size or piece.ndim == 0:
            found = True
            yield piece
    if not found:
        raise ArgumentError("at least one row of data", "none", "adapt")


def _pieces(data: Any, batch_size: int | None) -> Iterator[np.ndarray]:
    if is_whole(data):
        in_file = isinstance(data, np.memmap) or type(data).__module__.startswith("h5py")
        whole = data if in_file else as_host(data)
        if len(whole.shape) == 0:
            yield as_host(whole)
            return
        size = batch_size or (ROWS if in_file else max(whole.shape[0], 1))
        for start in range(0, whole.shape[0], size):
            yield as_host(whole[start : start + size])
        return
    if hasattr(data, "as_numpy_iterator"):
        yield from map(as_host, data.as_numpy_iterator())
        return
    if not hasattr(data, "__iter__") and hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        data = map(data.__getitem__, range(len(data)))  # by number, as of a PyDataset
    try:
        iterator = iter(data)
    except TypeError:
        raise ArgumentTypeError(
            "an array, a dataset or another iterable of batches", describe(data), "adapt"
        ) from None
    yield from map(as_host, iterator)


class AdaptingLayer(TwoSidedLayer):
    """A layer whose state comes from data, by `adapt`.

    A subclass writes `reset_state`, `update_state(batch)` and `finalize_state`; `update_state` gets NumPy arrays
    from `adapt` and whatever users give it otherwise. What `update_state` gathers, `finalize_state` turns into the
    state that `call` uses. `_refuse_adapt` says why this layer must not adapt, if so.
    """

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns the state from data; what was learnt before is forgotten.

        Args:
            data: An array, list or column, or what yields batches: a dataset, loader, `PyDataset` or generator.
            batch_size: Rows in a batch, for arrays only.
            steps: How many batches are used; all if None.

        Raises:
            ValueError: If there are no data or they do not fit. The layer stays as it was.
            ValueError: Also if the state was given in the arguments, or inside a compiled function.
        """
        self._adapt(data, batch_size, steps)

    def _adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        reason = self._refuse_adapt()
        if reason:
            raise ValueStateError("a layer that learns its state by `adapt`", reason, self._where())
        if context.trace is not None:
            raise ValueStateError(
                "`adapt` outside of compiled functions", "a call inside one", self._where(),
                "Adapt the layer before the model is trained.",
            )
        kept = self._snapshot()
        try:
            self.reset_state()
            for batch in batches(data, batch_size, steps):
                self.update_state(batch)
            self.finalize_state()
        except BaseException:  # also Ctrl-C in the middle of a long pass
            self._restore(kept)
            raise

    def _refuse_adapt(self) -> str:
        """Why `adapt` makes no sense for this layer, or ""."""
        return ""

    def _snapshot(self) -> tuple[dict[str, Any], list[tuple[Any, Any]]]:
        """The attributes and the values of the variables, as they are now."""
        values = [(one, np.array(one.numpy())) for one in self._own_variables()]  # some frameworks write in place
        attributes = {**self.__dict__, "_tracked": dict(self.__dict__["_tracked"])}
        own = {name: [*self.__dict__[name]] for name in ("_own_trainable", "_own_frozen")}
        return {**attributes, **own}, values

    def _restore(self, kept: tuple[dict[str, Any], list[tuple[Any, Any]]]) -> None:
        attributes, values = kept
        self.__dict__.clear()
        self.__dict__.update(attributes)
        for variable, value in values:
            variable.assign(value)

    def _require_state(self, there: bool, what: str = "its state") -> None:
        """Raises an error that teaches unless the state is there."""
        if not there:
            raise ValueStateError(
                f"a layer that has {what}", "one that was never adapted", self._where(),
                "Call `layer.adapt(data)` before the layer is used.",
            )

    def reset_state(self) -> None:
        """Forgets what was gathered, so that `update_state` starts anew."""
        raise NotImplementedError

    def update_state(self, data: Any) -> None:
        """Takes one batch into account."""
        raise NotImplementedError

    def finalize_state(self) -> None:
        """Turns what was gathered into the state that calls use."""
        raise NotImplementedError
