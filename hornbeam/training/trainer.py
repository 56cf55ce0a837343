"""`Trainer`: what makes a model trainable; `compile`, `fit`, `evaluate`, `predict` and the steps users override.

One `train_step(self, data)` serves every backend. The loop over batches is in `loop`, how a step is run in
`execution`, what losses and metrics do with it in `compile`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import _config, metrics as metrics_module, optimizers, scope, tree
from hornbeam.backend import active as backend
from hornbeam.backend.base import Struct
from hornbeam.callbacks import CallbackList
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError, ValueStateError, describe
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.scope import Trace
from hornbeam.training.arguments import (
    frequency_of,
    length_of,
    parts_of_validation,
    smallest,
    verbosity,
    whole_number,
)
from hornbeam.training.compile import CompileLoss, CompileMetrics
from hornbeam.training.data import ArraySource, open_source, split_validation
from hornbeam.training.execution import Execution
from hornbeam.training.labels import without_weightless
from hornbeam.training.loop import Loop
from hornbeam.training.results import flat_paths, host_number, in_order, nested_by_path, on_host
from hornbeam.training.state_form import takes_state, with_state
from hornbeam.training.unpack import pack_x_y_sample_weight, unpack_x_y_sample_weight
from hornbeam.transforms import value_and_grad
from hornbeam.variable import Variable


class Trainer:
    """The half of a model that learns. Mixed into `Model`, which brings the layers and the call."""

    def __init__(self) -> None:
        self.__dict__.setdefault("compiled", False)
        state = self.__dict__
        state.update(
            _loss_tracker=None,
            _compile_loss=None,
            _compile_metrics=None,
            _compile_arguments=None,
            _executions={},
            optimizer=None,
            loss=None,
            stop_training=False,
            history=None,
            _variables_made=False,
            _run_eagerly=False,
            _jit_compile="auto",
            steps_per_execution=1,
            _steps_chosen=False,
        )

    # --- compile -------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | None = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is to be trained.

        Args:
            optimizer: An optimizer or its name.
            loss: A loss, its name, or a function `(y_true, y_pred)`; for several outputs a list or a dict by
                output name.
            loss_weights: A number for each output, as a list or dict; 1 by default.
            metrics: Metrics, names or functions; for several outputs a list of lists or a dict by output name.
            weighted_metrics: Metrics that take sample weights into account.
            run_eagerly: Whether steps run as plain Python, for debugging.
            steps_per_execution: Exactly how many steps go into one dispatch. With 1, the default, as many steps
                as take about 0.2 s are fused unless a callback wants each batch.
            jit_compile: Whether steps are compiled; "auto" does where the backend can.
            auto_scale_loss: Whether the optimizer scales the loss if the policy is mixed_float16.

        Raises:
            ValueError: For names that are not known; the text lists the nearest.
        """
        if isinstance(steps_per_execution, bool) or (
            steps_per_execution is not None
            and (not isinstance(steps_per_execution, (int, np.integer)) or steps_per_execution < 1)
        ):
            raise ArgumentError("a positive integer", repr(steps_per_execution), "compile: steps_per_execution")
        if jit_compile not in ("auto", True, False, None):
            raise ArgumentError("True, False or 'auto'", repr(jit_compile), "compile: jit_compile")
        if jit_compile is True and run_eagerly:
            raise ArgumentError("jit_compile or run_eagerly", "both", "compile")
        if jit_compile is True and "compile" not in backend.features:
            raise UnsupportedError(
                "a backend that compiles", f"the {backend.name} backend", "compile: jit_compile=True"
            )
        chosen = optimizers.get(optimizer)
        if (
            auto_scale_loss
            and getattr(self, "dtype_policy", None) is not None
            and self.dtype_policy.name == "mixed_float16"
        ):
            if not isinstance(chosen, optimizers.LossScaleOptimizer) and chosen is not None:
                chosen = optimizers.LossScaleOptimizer(chosen, name="loss_scale_optimizer")
        names = self._names_of_outputs()
        compile_loss = CompileLoss(loss, loss_weights, output_names=names) if loss is not None else None
        compile_metrics = (
            CompileMetrics(metrics, weighted_metrics, output_names=names)
            if metrics is not None or weighted_metrics is not None
            else None
        )
        # everything is checked: from here on nothing fails
        self.optimizer = chosen
        self.loss = loss
        self._compile_loss = compile_loss
        self._compile_metrics = compile_metrics
        self._loss_tracker = metrics_module.Mean(name="loss")
        self._run_eagerly = bool(run_eagerly)
        self._jit_compile = jit_compile
        self.steps_per_execution = int(steps_per_execution or 1)
        self.auto_scale_loss = auto_scale_loss
        self.stop_training = False
        self._executions = {}
        self._variables_made = False
        self._compile_arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.compiled = True

    def _names_of_outputs(self) -> list[str] | None:
        return getattr(self, "output_names", None) or None

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = bool(value)
        self._executions = {}

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled."""
        if self._run_eagerly:
            return False
        return "compile" in backend.features if self._jit_compile in ("auto", None) else bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: bool | str) -> None:
        self._jit_compile = value
        self._executions = {}

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the metrics of the layers and those given to `compile`."""
        found = [] if self._loss_tracker is None else [self._loss_tracker]
        found.extend(super().metrics)  # type: ignore[misc]
        if self._compile_metrics is not None:
            found.append(self._compile_metrics)
        if self._compile_loss is not None:
            found.extend(self._compile_loss.metrics)
        return list({id(one): one for one in found}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [one.name for one in self.metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of the metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_metrics(self) -> None:
        """Sets all metrics back."""
        for one in self.metrics:
            one.reset_state()

    # --- what users override ---------------------------------------------------------------------------------

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

        (_, (y_pred, loss)), gradients = value_and_grad(loss_fn, self.trainable_variables, has_aux=True)
        self._track_loss(loss, x)
        if self.trainable_variables:
            self.optimizer.apply(gradients, self.trainable_variables)
        else:
            warnings.warn("The model has no trainable variables, so training changes nothing.", stacklevel=2)
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
            loss = self._compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        parts.extend(backend.cast(backend.asarray(one), _config.floatx()) for one in self.losses)  # type: ignore[attr-defined]
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
        for metric in self.metrics:
            result = metric.result()
            if isinstance(result, dict):
                results.update(result)
            else:
                results[metric.name] = result
        return results

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """`compute_loss`, also as users wrote it before it took `training`."""
        parameters = inspect.signature(self.compute_loss).parameters
        takes_it = "training" in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        extra = {"training": training} if takes_it else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **extra)

    def _call_takes_training(self) -> bool:
        return True  # `Layer.__call__` passes it on to the layers inside if `call` does not want it

    def _scaled(self, loss: Any) -> Any:
        return loss if self.optimizer is None else self.optimizer.scale_loss(loss)

    def _track_loss(self, loss: Any, x: Any) -> None:
        count = next((one.shape[0] for one in tree.flatten(x) if getattr(one, "shape", ())), 1)
        self._loss_tracker.update_state(loss, sample_weight=float(count))

    # --- the loop ------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> Any:
        """Trains the model for a number of epochs.

        Args:
            x: Inputs: arrays (NumPy, the backend's, pandas), lists or dicts of them, a generator, a `PyDataset`,
                a torch `DataLoader` or a `tf.data.Dataset`; the last four bring targets and weights themselves.
            y: Targets of the same length.
            batch_size: Samples in a batch, for arrays; 32 by default.
            epochs: The number of the epoch to stop before.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line per epoch; "auto" is 1.
            callbacks: Callbacks.
            validation_split: The fraction of the arrays, from their end, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` or any data source, to validate on.
            shuffle: Whether arrays are shuffled before each epoch; "batch" shuffles within batches.
            class_weight: A weight for each class number.
            sample_weight: A weight for each sample.
            initial_epoch: The number of the first epoch, to go on after an earlier run.
            steps_per_epoch: Batches in an epoch, for data without an end.
            validation_steps: Batches in a validation.
            validation_batch_size: Samples in a batch of validation.
            validation_freq: Every how many epochs to validate, or the list of epochs after which to.

        Returns:
            A `History` with the results of each epoch.

        Raises:
            ValueError: If the model is not compiled or the data do not fit.

        >>> import numpy as np, hornbeam as keras
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> sorted(model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0).history)
        ['loss']
        """
        self._require_compiled("fit")
        self._require_gradients("fit")
        epochs = whole_number(epochs, "epochs", "fit", 0)
        initial_epoch = whole_number(initial_epoch, "initial_epoch", "fit", 0)
        limit = _config.max_epochs()
        if limit is not None:
            epochs = min(epochs, initial_epoch + limit)
        frequency = frequency_of(validation_freq)
        verbose = verbosity(verbose)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation((x, y, sample_weight), validation_split)
        validation = parts_of_validation(validation_data)
        source = open_source(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            class_weight=class_weight,
            steps=steps_per_epoch,
            rng=_generator(),
        )
        validation_source = None
        try:
            if validation is not None:
                validation_source = open_source(
                    *validation,
                    batch_size=validation_batch_size or batch_size,
                    steps=validation_steps,
                    rng=np.random.default_rng(0),
                )
                self._check_labels(validation_source, "test")
            self._check_labels(source, "train")
            return self._fit(source, validation_source, epochs, initial_epoch, frequency, verbose, callbacks)
        finally:
            source.close()
            if validation_source is not None:
                validation_source.close()

    def _fit(
        self,
        source: Any,
        validation_source: Any,
        epochs: int,
        initial_epoch: int,
        frequency: Callable[[int], bool],
        verbose: int,
        callbacks: Any,
    ) -> Any:
        step_limit = _config.max_steps_per_epoch()
        callbacks = self._callbacks(callbacks, verbose, epochs=epochs, steps=smallest(source.steps, step_limit))
        self.stop_training = False
        with _interruptible(callbacks):
            callbacks.on_train_begin()
            loop = self._loop("train", source, callbacks)
            validation_loop = None if validation_source is None else self._loop("test", validation_source, callbacks)
            logs: dict[str, Any] = {}
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                result = loop.epoch(epoch, step_limit)
                if result is None:
                    self._refuse_empty(source, "fit")
                logs = self._host_logs(result)
                if validation_loop is not None and frequency(epoch + 1):
                    if epoch > initial_epoch:
                        validation_source.reset()
                    found = self._evaluate(validation_loop, callbacks, step_limit, epoch)
                    logs = dict(sorted({**logs, **{f"val_{name}": value for name, value in found.items()}}.items()))
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
            if hasattr(self.optimizer, "finalize_variable_values") and epochs > initial_epoch:
                self.optimizer.finalize_variable_values(self.trainable_weights)  # type: ignore[attr-defined]
            callbacks.on_train_end(logs)
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on some data.

        Args:
            x: Inputs, of any kind that `fit` takes.
            y: Targets.
            batch_size: Samples in a batch, for arrays; 32 by default.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line at the end; "auto" is 1.
            sample_weight: A weight for each sample.
            steps: Batches to take, for data without an end.
            callbacks: Callbacks.
            return_dict: Whether the results come as a dict by name.
            **kwargs: None are known; for a clear error.

        Returns:
            The loss alone, or a list of the loss and the metrics, or a dict.
        """
        self._require_compiled("evaluate")
        if kwargs:
            raise ArgumentTypeError("known arguments", str(sorted(kwargs)), "evaluate")
        verbose = verbosity(verbose)
        source = open_source(x, y, sample_weight, batch_size=batch_size, steps=steps, rng=np.random.default_rng(0))
        step_limit = _config.max_steps_per_epoch()
        try:
            self._check_labels(source, "test")
            callbacks = self._callbacks(
                callbacks, verbose, history=False, epochs=1, steps=smallest(source.steps, step_limit)
            )
            with _interruptible(callbacks):
                logs = self._evaluate(self._loop("test", source, callbacks), callbacks, step_limit, 0)
        finally:
            source.close()
        return logs if return_dict else in_order(logs, self.metrics)

    def _evaluate(self, loop: Loop, callbacks: CallbackList, limit: int | None, epoch: int) -> dict[str, Any]:
        """One pass of evaluation; the metrics of training are over by now, and start anew with the next epoch."""
        self.stop_evaluating = False
        self.reset_metrics()
        callbacks.on_test_begin()
        result = loop.epoch(epoch, limit)
        if result is None:
            self._refuse_empty(loop.source, "evaluate")
        logs = self._host_logs(result)
        callbacks.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs of the model for some data.

        Args:
            x: Inputs, of any kind that `fit` takes; targets that come along are left aside.
            batch_size: Samples in a batch, for arrays; 32 by default.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line at the end; "auto" is 1.
            steps: Batches to take, for data without an end.
            callbacks: Callbacks.

        Returns:
            NumPy arrays in the structure of the outputs, all batches joined.
        """
        verbose = verbosity(verbose)
        source = open_source(x, batch_size=batch_size, steps=steps, rng=np.random.default_rng(0))
        step_limit = _config.max_steps_per_epoch()
        outputs: list[Any] = []
        try:
            callbacks = self._callbacks(
                callbacks, verbose, history=False, epochs=1, steps=smallest(source.steps, step_limit)
            )
            execution = self._execution("predict")
            with _interruptible(callbacks):
                self.stop_predicting = False
                callbacks.on_predict_begin()
                source.begin_epoch(0)
                for index, packed in enumerate(source.batches()):
                    callbacks.on_predict_batch_begin(index)
                    result = execution.batch(packed[0] if source.bare else packed)
                    outputs.append(result)
                    if index >= 2:  # fetch what is done by now, while later batches run
                        outputs[index - 2] = on_host(outputs[index - 2])
                    callbacks.on_predict_batch_end(index, {"outputs": result})
                    if self.stop_predicting or (step_limit is not None and index + 1 >= step_limit):
                        break
                source.end_epoch()
                callbacks.on_predict_end()
        finally:
            source.close()
        if not outputs:
            self._refuse_empty(source, "predict")
        outputs = [on_host(one) for one in outputs]
        return outputs[0] if len(outputs) == 1 else tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)

    stop_predicting = False
    stop_evaluating = False

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on one batch.

        Returns:
            The loss, or a list of the loss and the metrics of this batch, or a dict.
        """
        self._require_compiled("train_on_batch")
        self._require_gradients("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """One step of evaluation on one batch; returns as `train_on_batch` does."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        return on_host(self._execution("predict").batch(_whole_batch(x)))

    def _on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        source = open_source(x, y, sample_weight, batch_size=length_of(x), class_weight=class_weight)
        try:
            batch = next(source.batches())
        finally:
            source.close()
        self.reset_metrics()
        logs = self._host_logs(self._execution(kind).batch(batch[0] if source.bare else batch))
        return logs if return_dict else in_order(logs, self.metrics)

    # --- parts of the loop -----------------------------------------------------------------------------------

    def _callbacks(self, callbacks: Any, verbose: int, history: bool = True, **params: Any) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(
            callbacks, add_history=history, add_progbar=verbose != 0, model=self, verbose=verbose, **params
        )

    def _loop(self, phase: str, source: Any, callbacks: CallbackList) -> Loop:
        every_batch = callbacks.need_every_batch(phase)
        begin = getattr(callbacks, f"on_{phase}_batch_begin")
        hook = getattr(callbacks, f"on_{phase}_batch_end")

        def end(batch: int, result: Any) -> None:
            # a callback that only looks now and then reads the values itself, when it draws
            hook(batch, self._host_logs(result) if every_batch else dict(result))

        chosen = self.steps_per_execution if self.steps_per_execution > 1 else None
        return Loop(
            self._execution(phase),
            source,
            chosen,
            every_batch,
            begin,
            end,
            lambda: self.stop_training if phase == "train" else self.stop_evaluating,
        )

    def _execution(self, phase: str) -> Execution:
        """How steps of this phase run; made anew when what is trainable has changed since."""
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        frozen = tuple(index for index, one in enumerate(layers) if not one._trainable)
        frozen_variables = tuple(index for index, one in enumerate(self.variables) if not one.trainable)  # type: ignore[attr-defined]
        key = (phase, len(layers), frozen, frozen_variables)
        execution = self._executions.get(key)
        if execution is None:
            execution = self._executions[key] = Execution(self._step_function(phase), self.jit_compile)
        return execution

    def _step_function(self, phase: str) -> Callable[[Any], Any]:
        method = getattr(self, f"{phase}_step")
        step = with_state(self, method, phase) if takes_state(method) else method

        def ready(data: Any) -> Any:
            self._make_variables(data)
            result = step(data)
            if phase != "predict" and not isinstance(result, dict):
                # said here, within the step, since a compiled step that raises changes nothing
                raise ArgumentTypeError(
                    "a dict of results by name", describe(result), f"what {type(self).__name__}.{phase}_step returns",
                    "Return for example {'loss': loss} or self.compute_metrics(x, y, y_pred).",
                )
            return result

        return ready

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
        return any(getattr(type(self), name) is not getattr(Trainer, name) for name in names)

    def _check_labels(self, source: Any, phase: str) -> None:
        """Looks once, before the first step, for labels that compiled code could not complain about."""
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
            y_pred = self(x)  # type: ignore[operator]
            masked.extend(one for one in tree.flatten(y_pred) if scope.get_mask(one) is not None)
            return y_pred

        rows = tree.map_structure(lambda one: None if one is None else backend.put(one[:1]), x)
        with Trace():
            structure = backend.abstract(outputs, tree.map_structure(_struct, rows))
        return structure, bool(masked)

    def _can_be_called(self) -> bool:
        """Whether the class has a `call` of its own, or a graph; a model that only trains others may have none."""
        return getattr(self, "_function", None) is not None or any(
            "call" in cls.__dict__
            for cls in type(self).__mro__
            if not cls.__module__.startswith("hornbeam.layers.layer") and cls.__module__ != "hornbeam.models.model"
        )

    def _host_logs(self, result: dict[str, Any]) -> dict[str, Any]:
        """Results as Python numbers, by name; results within a result stand beside the others."""
        logs: dict[str, Any] = {}
        for name, value in sorted(result.items()):
            logs.update(self._host_logs(value) if isinstance(value, dict) else {name: host_number(value)})
        return logs

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

    def make_train_function(self, force: bool = False) -> Any:
        """Gets the training step ready; kept for programs that call it."""
        if force:
            self._executions = {}
        self.train_function = self._execution("train").batch
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        """Gets the evaluation step ready; kept for programs that call it."""
        if force:
            self._executions = {}
        self.test_function = self._execution("test").batch
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Any:
        """Gets the prediction step ready; kept for programs that call it."""
        if force:
            self._executions = {}
        self.predict_function = self._execution("predict").batch
        return self.predict_function

    # --- state and saving ----------------------------------------------------------------------------------------

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """The values of all variables by path.

        Args:
            value_format: "backend_tensor" or "numpy_array".

        Returns:
            Trees for "trainable_variables", "non_trainable_variables", "optimizer_variables" and
            "metrics_variables".
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ArgumentError("'backend_tensor' or 'numpy_array'", repr(value_format), "get_state_tree")
        return {
            name: nested_by_path(variables, lambda one: one.numpy() if value_format == "numpy_array" else one.value)
            for name, variables in self._state_groups().items()
        }

    def set_state_tree(self, state_tree: dict[str, dict[str, Any]]) -> None:
        """Sets variables from what `get_state_tree` gave; names that are missing are left as they are."""
        for name, values in state_tree.items():
            groups = self._state_groups()
            if name not in groups:
                raise ArgumentError(f"one of {sorted(groups)}", repr(name), "set_state_tree")
            by_path = {one.path: one for one in groups[name]}
            for path, value in flat_paths(values):
                if path not in by_path:
                    raise ArgumentError("a path of a variable", repr(path), "set_state_tree")
                by_path[path].assign(value)

    def _state_groups(self) -> dict[str, list[Variable]]:
        return {
            "trainable_variables": self.trainable_variables,  # type: ignore[attr-defined]
            "non_trainable_variables": self.non_trainable_variables,  # type: ignore[attr-defined]
            "optimizer_variables": [] if self.optimizer is None else self.optimizer.variables,
            "metrics_variables": self.metrics_variables,
        }

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, for a file."""
        if not self.compiled or self._compile_arguments is None:
            return {}
        arguments = dict(self._compile_arguments)
        arguments["optimizer"] = self.optimizer
        arguments["jit_compile"] = self.jit_compile
        return {name: serialize_value(value) for name, value in arguments.items()}

    def compile_from_config(self, config: dict[str, Any] | None) -> None:
        """Compiles the model from what `get_compile_config` gave."""
        if not config:
            return
        arguments = {name: deserialize_value(value) for name, value in config.items()}
        if arguments.get("jit_compile") is True:
            arguments["jit_compile"] = "auto"  # the file may come from another backend
        self.compile(**arguments)
        if self.optimizer is not None and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]


# --- helpers -------------------------------------------------------------------------------------------------------


def _traced(groups: Any) -> Any:
    return Trace([(variable, value) for mine, values in groups for variable, value in zip(mine, values, strict=True)])


def _generator() -> np.random.Generator:
    """What shuffles the data: follows from NumPy's global seed, which `set_random_seed` sets."""
    return np.random.default_rng(np.random.randint(0, 2**32, dtype=np.uint32))


class _interruptible:
    """Tells the callbacks when the run ends by an exception, so that a progress bar ends its line."""

    def __init__(self, callbacks: CallbackList) -> None:
        self.callbacks = callbacks

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            self.callbacks.on_interrupt()


def _struct(value: Any) -> Any:
    return Struct(backend.shape(value), backend.dtype(value)) if backend.is_array(value) else value


def _parts_of(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight, if the data have this form; a step of the user's own may take any other."""
    known = not isinstance(data, (tuple, list)) or 1 <= len(data) <= 3
    return unpack_x_y_sample_weight(data) if known else (data, None, None)


def _whole_batch(x: Any) -> Any:
    leaves = tree.flatten(x)
    if leaves and all(backend.is_array(one) or isinstance(one, np.ndarray) for one in leaves):
        return pack_x_y_sample_weight(x)
    source = open_source(x, batch_size=length_of(x))
    batch = next(source.batches())
    return batch[0] if source.bare else batch
