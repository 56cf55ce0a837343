"""`Preparation`: what a trainer sees to before the first step: variables are made, labels fit, all needed is there.

It runs no step and changes no variable.
"""

from __future__ import annotations

from typing import Any

from hornbeam import scope, tree
from hornbeam.backend import active as backend
from hornbeam.backend.base import Struct, is_numeric
from hornbeam.errors import ArgumentError, UnsupportedError, ValueStateError
from hornbeam.scope import Trace
from hornbeam.training.data import ArraySource
from hornbeam.training.labels import without_weightless
from hornbeam.training.steps import Steps
from hornbeam.training.unpack import unpack_x_y_sample_weight


class Preparation(Steps):
    """The part of a `Trainer` that looks ahead."""

    def _make_variables(self, data: Any) -> None:
        """Makes the variables of layers that were never called, on one batch, before a step asks for them.

        A step of the user's own may ask for those of the losses and metrics too.
        """
        if self._variables_made:
            return
        x, y, _ = _parts_of(data)
        own = self._has_own("train_step", "test_step", "predict_step")
        compiled = [one for one in (self._compile_loss, self._compile_metrics) if one is not None and not one.built]
        unbuilt = not all(one.built for one in self._flatten_layers())  # type: ignore[attr-defined]
        if self._can_be_called() and (unbuilt or (own and compiled and y is not None)):
            try:
                with Trace():
                    y_pred = self(x)  # type: ignore[operator]
                    for one in compiled if own and y is not None else ():
                        one.prepare(y, y_pred)
            except Exception:
                if not own:  # else the step may call the layers in its own way, and not the model on this batch
                    raise
        self._variables_made = y is not None or not compiled

    def _has_own(self, *names: str) -> bool:
        """Whether the class of the user has methods of its own in place of some of ours."""
        return any(getattr(type(self), name) is not getattr(Steps, name) for name in names)

    def _check_labels(self, source: Any, phase: str) -> None:
        """Looks once, before the first step, for labels that compiled code could not complain about."""
        source = getattr(source, "inner", source)
        if self._compile_loss is None or not isinstance(source, ArraySource) or len(source.arrays) < 2:
            return
        if self._has_own(f"{phase}_step", "compute_loss"):
            return  # who knows what labels mean there
        x, y, sample_weight = unpack_x_y_sample_weight(source.arrays)
        if sample_weight is not None:
            y = without_weightless(y, sample_weight)
        known = self.outputs is not None  # type: ignore[attr-defined]
        try:
            self._compile_loss.check_labels(y, self.output if known else self._outputs_for(x)[0])  # type: ignore[attr-defined]
        except ArgumentError:
            if not self._outputs_for(x)[1]:
                raise

    def _outputs_for(self, x: Any) -> tuple[Any, bool]:
        """The shapes of the outputs for inputs, and whether some of the outputs bear a mask; nothing is computed."""
        masked = []

        def outputs(x: Any) -> Any:
            # without training: what needs many samples, such as torch's statistics of a batch, is left aside
            y_pred = self(x, training=False)  # type: ignore[operator]
            masked.extend(one for one in tree.flatten(y_pred) if scope.get_mask(one) is not None)
            return y_pred

        rows = tree.map_structure(lambda one: None if one is None else one[:1], x)
        texts = any(one is not None and not is_numeric(one) for one in tree.flatten(rows))
        if texts and self.split_function() is not None:  # type: ignore[attr-defined]
            rows = self.host_results(rows)  # type: ignore[attr-defined]
        rows = backend.put(rows)
        with Trace():
            structure = backend.abstract(outputs, tree.map_structure(struct_of, rows))
        return structure, bool(masked)

    def _can_be_called(self) -> bool:
        """Whether the class has a `call` of its own, or a graph; a model that only trains others may have none."""
        return getattr(self, "_function", None) is not None or any(
            "call" in cls.__dict__
            for cls in type(self).__mro__
            if not cls.__module__.startswith("hornbeam.layers.layer") and cls.__module__ != "hornbeam.models.model"
        )

    def _require_compiled(self, wanted: str) -> None:
        if not self.compiled:
            raise ValueStateError(
                "a compiled model",
                "one without a call of `compile`",
                f"{wanted} of {self.name!r}",  # type: ignore[attr-defined]
                "Call model.compile(optimizer=..., loss=...) first.",
            )

    def _require_gradients(self, wanted: str) -> None:
        if "gradients" not in backend.features:
            raise UnsupportedError(
                "a backend with gradients",
                f"the {backend.name} backend",
                wanted,
                "Set HORNBEAM_BACKEND to jax, torch or tensorflow.",
            )

    def _refuse_empty(self, source: Any, wanted: str) -> None:
        raise ArgumentError(
            "at least one batch",
            "none",
            f"{wanted} of {self.name!r}",  # type: ignore[attr-defined]
            "A generator that has run dry cannot start again: give a list, an array or a fresh generator.",
        )


def struct_of(value: Any) -> Any:
    """What stands for a tensor where nothing is computed; anything else as it is."""
    return Struct(backend.shape(value), backend.dtype(value)) if backend.is_array(value) else value


def _parts_of(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight, if the data have this form; a step of the user's own may take any other."""
    known = not isinstance(data, (tuple, list)) or 1 <= len(data) <= 3
    return unpack_x_y_sample_weight(data) if known else (data, None, None)
