"""`GradientTape`: gradients for people who think in tapes. Knows variables and structures; how a framework remembers
what was computed, only its backend's `Recorder` knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hornbeam import scope, tree
from hornbeam.backend import active as backend
from hornbeam.dtypes import is_complex, is_float
from hornbeam.errors import ArgumentError, ArgumentTypeError, StateError, describe
from hornbeam.scope import context
from hornbeam.variable import Variable


class GradientTape:
    """Records what is computed inside it, so that gradients can be taken afterwards.

    It sees everything that the backend computes in its thread, through layers, `hornbeam.ops` or the framework's
    own functions. Trainable variables that are read inside are watched by themselves; where one is assigned inside,
    its gradient counts the values before and after, and does not flow through the assignment.

    Args:
        persistent: Whether several gradients may be taken; what was recorded stays in memory as long as the tape.
        watch_accessed_variables: Whether trainable variables are watched when they are read.

    Raises:
        NotImplementedError: On a backend without gradients.

    >>> import hornbeam as keras
    >>> v = keras.Variable(3.0)
    >>> with keras.GradientTape() as outer:
    ...     with keras.GradientTape() as tape:
    ...         y = v * v * v
    ...     slope = tape.gradient(y, v)
    >>> float(slope), float(outer.gradient(slope, v))
    (27.0, 18.0)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = bool(persistent)
        self._watches_variables = bool(watch_accessed_variables)
        self._inside = False
        self._spent = False
        self._clear()

    def _clear(self) -> None:
        self._recorder = backend.recorder(self._persistent)
        self._recording = False
        self._level: Any = None
        self._chosen: dict[int, Variable] = {}
        # for each variable its values, and for each value whose it is; both hold what their keys name
        self._reads: dict[int, tuple[Variable, list[Any]]] = {}
        self._owners: dict[int, tuple[Any, Any]] = {}
        self._stand_ins: dict[tuple[int, int, int], tuple[Any, Any]] = {}

    # --- recording -----------------------------------------------------------------------------------------

    def __enter__(self) -> GradientTape:
        if self._inside:
            raise StateError("a tape that is not recording", "one that is", "GradientTape")
        if self._spent:
            self._clear()
            self._spent = False
        self._recorder.start()
        self._level, self._inside, self._recording = context.trace, True, True
        scope.set_tapes((*context.tapes, self))
        return self

    def __exit__(self, *_: Any) -> None:
        self._recorder.stop()
        self._inside = self._recording = False
        scope.set_tapes(tuple(one for one in context.tapes if one is not self))

    def saw(self, variable: Variable, value: Any) -> Any:
        """Takes notice that `variable` was read as `value`; gives the tensor that stands for it on this tape."""
        if not self._recording or not self._is_watched(variable):
            return value
        trace = context.trace
        while trace is not None and trace is not self._level:
            if id(variable) in trace.values:  # set by a transform inside the tape: no value of the tape's own
                return value
            trace = trace.parent
        key = (id(variable), id(value), self._recorder.version(value))
        if key in self._stand_ins:
            return self._stand_ins[key][1]
        # Several variables may hold one and the same array, such as a bias of zeros.
        shared = id(value) in self._owners or self._recorder.is_shared(value)
        own = self._recorder.unshared(value) if shared else value
        self._stand_ins[key] = (value, own)
        self._owners[id(own)] = (own, variable)
        self._recorder.watch(own)
        self._reads.setdefault(id(variable), (variable, []))[1].append(own)
        return own

    def _is_watched(self, variable: Variable) -> bool:
        if id(variable) in self._chosen:
            return True
        return self._watches_variables and variable.trainable and _is_differentiable(variable._dtype)

    def watch(self, tensor: Any) -> None:
        """Watches tensors, or variables that are not watched by themselves.

        Args:
            tensor: A structure of float tensors and variables.

        Raises:
            TypeError: For what is neither a tensor nor a variable, and for integers.

        >>> import hornbeam as keras
        >>> x = keras.ops.convert_to_tensor([1.0, 2.0])
        >>> with keras.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> keras.ops.convert_to_numpy(tape.gradient(y, x)).tolist()
        [2.0, 4.0]
        """
        if not self._inside:
            raise StateError("a tape that records", "one that does not", "GradientTape.watch")
        leaves = [_checked(one, "watch") for one in tree.flatten(tensor)]
        for one in leaves:
            if isinstance(one, Variable):
                self._chosen[id(one)] = one
            else:
                self._owners.setdefault(id(one), (one, None))
                self._recorder.watch(one)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Inside, what is computed is constant to the tape.

        Raises:
            RuntimeError: If the tape does not record.
        """
        if not self._recording:
            raise StateError("a tape that records", "one that does not", "GradientTape.stop_recording")
        self._recording = False
        self._recorder.pause(True)
        try:
            yield
        finally:
            self._recording = self._inside and not self._spent
            self._recorder.pause(not self._recording)

    def reset(self) -> None:
        """Forgets everything; a tape that records goes on from here."""
        inside = self._inside
        if inside:
            self.__exit__()
        self._clear()
        self._spent = False
        if inside:
            self.__enter__()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that are watched, in the order in which they came."""
        found = {key: variable for key, (variable, _) in self._reads.items()}
        return tuple({**found, **self._chosen}.values())

    # --- gradients -----------------------------------------------------------------------------------------

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The gradient of the sum of `target` by `sources`.

        Args:
            target: A structure of tensors that were computed on the tape.
            sources: A structure of variables, and of tensors that were watched or computed on the tape.
            output_gradients: Factors for the elements of `target`, in its structure; ones by default.
            unconnected_gradients: "none" or "zero": what stands for the gradient by a source that `target` does
                not depend on.

        Returns:
            Gradients in the structure of `sources`.

        Raises:
            RuntimeError: For the second gradient of a tape that is not persistent, and where values left the tape
                or never were on it, so that there is no gradient to be had.
            ValueError: If shapes or names do not fit.
            TypeError: For what is not a tensor or variable of floats.
        """
        wish = getattr(unconnected_gradients, "value", unconnected_gradients)
        if wish not in ("none", "zero"):
            raise ArgumentError("'none' or 'zero'", repr(unconnected_gradients), "gradient: unconnected_gradients")
        targets = self._targets(target)
        upstream = _upstream(output_gradients, target, targets)
        leaves, values, description = self._sources(sources)
        found = self._back(targets, values, leaves, wish == "zero")(upstream)
        return tree.unflatten(description, found)

    def jacobian(self, target: Any, sources: Any, unconnected_gradients: Any = "none") -> Any:
        """The derivative of each element of `target` by each element of `sources`.

        Args:
            target: A tensor that was computed on the tape.
            sources: As in `gradient`.
            unconnected_gradients: As in `gradient`.

        Returns:
            In the structure of `sources`, tensors whose shape is that of `target` followed by that of the source.

        >>> import hornbeam as keras
        >>> v = keras.Variable([1.0, 2.0])
        >>> with keras.GradientTape() as tape:
        ...     y = v * v
        >>> keras.ops.convert_to_numpy(tape.jacobian(y, v)).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        wish = getattr(unconnected_gradients, "value", unconnected_gradients)
        if wish not in ("none", "zero"):
            raise ArgumentError("'none' or 'zero'", repr(unconnected_gradients), "jacobian: unconnected_gradients")
        (tensor,) = self._targets(target)[:1] if backend.is_array(target) or isinstance(target, Variable) else [None]
        if tensor is None:
            raise ArgumentTypeError("one tensor as target", describe(target), "jacobian")
        leaves, values, description = self._sources(sources)
        back = self._back([tensor], values, leaves, wish == "zero")
        shape = backend.shape(tensor)
        size = 1
        for axis in shape:
            size *= axis
        one_hot = backend.xp.reshape(backend.xp.eye(size, dtype=tensor.dtype), (size, *shape))
        rows = [back([one_hot[number]]) for number in range(size)]
        found = []
        for number, one in enumerate(leaves):
            parts = [row[number] for row in rows]
            whole = None if not parts or parts[0] is None else backend.xp.stack(parts)
            found.append(whole if whole is None else backend.xp.reshape(whole, (*shape, *tuple(one.shape))))
        return tree.unflatten(description, found)

    def _targets(self, target: Any) -> list[Any]:
        found = []
        for one in tree.flatten(target):
            one = _checked(one, "the target of a gradient")
            found.append(scope.read(one) if isinstance(one, Variable) else one)
        return found

    def _sources(self, sources: Any) -> tuple[list[Any], list[list[Any]], Any]:
        """The sources and, for each, the tensors that stood for it on the tape."""
        if self._spent:
            raise StateError(
                "a persistent tape", "a second gradient of one that is not", "GradientTape",
                "Make it with persistent=True.",
            )  # fmt: skip
        leaves, description = tree.flatten_and_structure(sources)
        values = []
        for one in leaves:
            _checked(one, "the source of a gradient")
            if isinstance(one, Variable):
                values.append(list(self._reads.get(id(one), (one, []))[1]))
            elif self._recorder.is_connected(one):
                values.append([one])
            else:
                raise StateError(
                    "sources that the tape knows", describe(one), "GradientTape",
                    "Call tape.watch(tensor) inside the tape, before it is used.",
                )  # fmt: skip
        return leaves, values, description

    def _back(self, targets: list[Any], values: list[list[Any]], leaves: list[Any], zero: bool) -> Any:
        """The function from gradients of the targets to those of the sources; lets go of what is not needed."""
        recorder = self._recorder
        if not zero and not any(recorder.is_connected(one) for one in targets):
            raise StateError(
                "a target that was computed on the tape from watched values",
                ", ".join(describe(one) for one in targets[:3]), "GradientTape",
                "Compute it inside `with GradientTape()`, from trainable variables or watched tensors. What goes "
                "through NumPy, or is computed after the tape or while it does not record, is constant to it. "
                "Where zeros are meant, pass unconnected_gradients='zero'.",
            )  # fmt: skip
        if not self._persistent and self._recording:
            self._recording = False
            recorder.pause(True)
        flat = list({id(one): one for parts in values for one in parts}.values())
        connected, back = recorder.pullback(targets, flat) if flat else ([], lambda _: [])
        if connected is None:
            connected = [True] * len(flat)
        joined = {id(one): yes for one, yes in zip(flat, connected, strict=True)}
        for leaf, parts in zip(leaves, values, strict=True):
            lost = parts and isinstance(leaf, Variable) and not any(recorder.is_used(one) for one in parts)
            if lost and not zero and not any(joined[id(one)] for one in parts):
                raise StateError(
                    f"something computed from variable {leaf.path!r}", "a value that was read and left the tape",
                    "GradientTape",
                    "Was it turned into a NumPy array or a Python number? The tape cannot see what comes of those: "
                    "compute with hornbeam.ops or the framework, or leave the variable out of the sources.",
                )  # fmt: skip
        if not self._persistent:
            self._spent = True
            self._reads = {key: (variable, []) for key, (variable, _) in self._reads.items()}
            self._owners, self._stand_ins = {}, {}
            if not self._inside:
                self._recorder = backend.recorder(self._persistent)

        def run(upstream: list[Any]) -> list[Any]:
            found = zip(flat, back(upstream), strict=True)
            gradients = {id(one): new for one, new in found if joined[id(one)] and new is not None}
            results = []
            for leaf, parts in zip(leaves, values, strict=True):
                total = None
                for one in parts:
                    if id(one) in gradients:
                        total = gradients[id(one)] if total is None else total + gradients[id(one)]
                if total is None and zero:
                    total = backend.xp.zeros(tuple(leaf.shape), backend.native_dtype(_dtype(leaf)))
                results.append(total)
            return results

        return run


def _dtype(value: Any) -> str:
    return value._dtype if isinstance(value, Variable) else backend.dtype(value)


def _is_differentiable(dtype: str) -> bool:
    return is_float(dtype) or is_complex(dtype)


def _checked(value: Any, what: str) -> Any:
    if not isinstance(value, Variable) and not backend.is_array(value):
        raise ArgumentTypeError("tensors or variables", describe(value), what)
    if not _is_differentiable(_dtype(value)):
        raise ArgumentTypeError("floats, since integers have no gradients", describe(value), what)
    return value


def _upstream(output_gradients: Any, target: Any, targets: list[Any]) -> list[Any]:
    """The gradients that come in for the targets; None stands for ones."""
    ones = [backend.xp.ones(backend.shape(one), backend.native_dtype(backend.dtype(one))) for one in targets]
    if output_gradients is None:
        return ones
    given = [output_gradients] if len(targets) == 1 and not tree.is_nested(target) else tree.flatten(output_gradients)
    if len(given) != len(targets):
        raise ArgumentError(f"{len(targets)} output_gradients, one for each target", str(len(given)), "gradient")
    found = []
    for one, gradient, default in zip(targets, given, ones, strict=True):
        if gradient is None:
            found.append(default)
            continue
        gradient = gradient.value if isinstance(gradient, Variable) else gradient
        gradient = backend.cast(backend.asarray(gradient), backend.dtype(one))
        if backend.shape(gradient) != backend.shape(one):
            raise ArgumentError(
                f"output_gradients of shape={backend.shape(one)}", f"shape={backend.shape(gradient)}", "gradient"
            )
        found.append(gradient)
    return found
