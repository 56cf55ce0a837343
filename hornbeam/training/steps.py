"""`Steps`: what one step of training, evaluation and prediction does; the methods that users override.

One text for all backends. It knows no loop and no source of data.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from hornbeam import _config, tree
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ValueStateError, warn
from hornbeam.scope import Trace
from hornbeam.training.compile_metrics import CompileMetrics
from hornbeam.training.unpack import unpack_x_y_sample_weight
from hornbeam.transforms import value_and_grad


class Steps:
    """The part of a `Trainer` that says what happens to one batch."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training; written once for every backend, and the place to train in another way.

        Args:
            data: One batch, as the data source gives it.

        Returns:
            What the logs show: a number for each name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)

        def loss_fn() -> tuple[Any, tuple[Any, Any]]:
            y_pred = self(x, training=True) if self._call_takes_training() else self(x)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            return self._scaled(loss), (y_pred, loss)

        variables = self.trainable_variables
        (_, (y_pred, loss)), gradients = value_and_grad(loss_fn, variables, has_aux=True)
        self._track_loss(loss, x)
        if variables:
            self.optimizer.apply(gradients, variables)
        else:
            warn("The model has no trainable variables, so training changes nothing.")
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of evaluation.

        Args:
            data: One batch, as the data source gives it.

        Returns:
            What the logs show: a number for each name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False) if self._call_takes_training() else self(x)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of prediction: the outputs for one batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False) if self._call_takes_training() else self(x)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The total loss of a batch: the compiled losses and what the layers added.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs of the model.
            sample_weight: Weights of the samples.
            training: Whether this is for training.

        Returns:
            A scalar tensor.

        Raises:
            ValueError: If there is neither a compiled loss nor an added one.
        """
        parts = []
        if self._compile_loss is not None:
            if y_pred is None:
                raise ArgumentError(
                    "the outputs of the model as y_pred", "None", f"{type(self).__name__}.compute_loss",
                    "Its order is compute_loss(x, y, y_pred, sample_weight).",
                )  # fmt: skip
            loss = self._compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        share = backend.share()
        added = [backend.cast(backend.asarray(one), _config.floatx()) for one in self.losses]  # type: ignore[attr-defined]
        parts.extend(added if share == 1.0 else [one * share for one in added])
        if not parts:
            raise ValueStateError(
                "a loss",
                "a model without one",
                f"{type(self).__name__} {self.name!r}",  # type: ignore[attr-defined]
                "Give `loss=` to compile, or call `add_loss` in a layer.",
            )
        total = parts[0]
        for one in parts[1:]:
            total = total + one
        return total

    def stateless_compute_loss(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        metrics_variables: list[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple:
        """`compute_loss` as a pure function of the values of the variables.

        Returns:
            `(loss, (trainable, non_trainable, metrics))` with the new values of the variables.
        """
        groups = (
            (self.trainable_variables, trainable_variables),  # type: ignore[attr-defined]
            (self.non_trainable_variables, non_trainable_variables),  # type: ignore[attr-defined]
            (self.metrics_variables, metrics_variables),
        )
        with _traced(groups) as trace:
            loss = self._loss_of(x, y, y_pred, sample_weight, training)
            values = tuple([trace.get(variable) for variable in mine] for mine, _ in groups)
        return loss, values

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Updates the compiled metrics with a batch; gives all results so far.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs of the model.
            sample_weight: Weights of the samples.

        Returns:
            A number for each name.
        """
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """The result of each metric by its name; a metric that gives a dict gives several."""
        results: dict[str, Any] = {}
        if self.__dict__.get("_quiet"):  # a step of many, and nobody will look at its results
            return results
        for metric in self.metrics:
            result = metric.result()
            if isinstance(result, dict):
                results.update(result)
            else:
                results[metric.name] = result
        return results

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """`compute_loss`, also as users wrote it before it took `training`."""
        function = getattr(self.compute_loss, "__func__", self.compute_loss)
        extra = {"training": training} if _takes_training(function) else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **extra)

    def _call_takes_training(self) -> bool:
        return True  # `Layer.__call__` passes it on to the layers inside if `call` does not want it

    def _scaled(self, loss: Any) -> Any:
        return loss if self.optimizer is None else self.optimizer.scale_loss(loss)

    def _track_loss(self, loss: Any, x: Any) -> None:
        count = next((one.shape[0] for one in tree.flatten(x) if getattr(one, "shape", ())), 1)
        share = backend.share()
        self._loss_tracker.update_state(loss if share == 1.0 else loss / share, sample_weight=float(count))

    # --- older spellings ---------------------------------------------------------------------------------------

    def compiled_loss(self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Any:
        """The compiled loss plus some others; from before `compute_loss`."""
        loss = self._compile_loss(y, y_pred, sample_weight)
        self._loss_tracker.update_state(loss)
        for one in regularization_losses or ():
            loss = loss + one
        return loss

    @property
    def compiled_metrics(self) -> Any:
        """The compiled metrics; from before `compute_metrics`."""
        return self._compile_metrics if self._compile_metrics is not None else CompileMetrics(None, None)


@functools.cache
def _takes_training(function: Any) -> bool:
    parameters = inspect.signature(function).parameters
    return "training" in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _traced(groups: Any) -> Any:
    return Trace([(variable, value) for mine, values in groups for variable, value in zip(mine, values, strict=True)])
