"""`Trainer`: what makes a model trainable; `compile`, `fit`, `evaluate`, `predict` and the steps users override.

One `train_step(self, data)` serves every backend. The loop over batches is in `loop`, how a step is run in
`running`, what losses and metrics do with it in `compile_loss` and `compile_metrics`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import _config, metrics as metrics_module, optimizers, tree
from hornbeam.backend import active as backend
from hornbeam.callbacks import CallbackList
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnsupportedError
from hornbeam.layers.state import remembered
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.tracking import unique
from hornbeam.training.arguments import (
    frequency_of,
    length_of,
    parts_of_validation,
    smallest,
    verbosity,
    whole_number,
)
from hornbeam.training.compile_loss import CompileLoss
from hornbeam.training.compile_metrics import CompileMetrics
from hornbeam.training.data import ArraySource, open_source, split_validation
from hornbeam.training.loop import Loop
from hornbeam.training.results import in_order, on_host
from hornbeam.training.running import Running
from hornbeam.training.sources.mapped import MappedSource
from hornbeam.training.state_tree import StateTree
from hornbeam.training.unpack import pack_x_y_sample_weight
from hornbeam.variable import Variable

# How much memory the results of a model's host part for whole arrays may take; more goes batch by batch.
_HOST_BYTES = 1 << 30


def _in_strategy(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a trainer, whose variables are made by the strategy of the model."""

    @functools.wraps(method)
    def inside(self: Any, *args: Any, **kwargs: Any) -> Any:
        strategy = self.distribute_strategy
        if strategy is None:
            return method(self, *args, **kwargs)
        with backend.in_strategy(strategy):
            return method(self, *args, **kwargs)

    return inside


class Trainer(Running, StateTree):
    """The half of a model that learns. Mixed into `Model`, which brings the layers and the call."""

    def __init__(self) -> None:
        self.__dict__.setdefault("compiled", False)
        state = self.__dict__
        state.update(
            _loss_tracker=None,
            _compile_loss=None,
            _compile_metrics=None,
            _untracked_arguments=None,
            _untracked_executions={},
            optimizer=None,
            loss=None,
            stop_training=False,
            history=None,
            _variables_made=False,
            _run_eagerly=False,
            _jit_compile="auto",
            steps_per_execution=1,
            # kept from where the model is made; its steps run on the replicas of this strategy
            distribute_strategy=backend.strategy(),
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
                as take about 1.6 s are fused unless a callback wants each batch.
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
        self._untracked_executions = {}
        self._variables_made = False
        self._untracked_arguments = {
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
        self._untracked_executions = {}

    @property
    def jit_compile(self) -> bool:
        """Whether steps are compiled."""
        if self._run_eagerly:
            return False
        return backend.compile_default if self._jit_compile in ("auto", None) else bool(self._jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: bool | str) -> None:
        self._jit_compile = value
        self._untracked_executions = {}

    @property
    @remembered
    def metrics(self) -> list[Any]:
        """The loss tracker, the metrics given to `compile`, the model's own and those of its layers.

        What a model inside this one counts for its own training and evaluation is not among them.
        """
        found = self._compiled_metrics()
        found.extend(self._found("metric"))  # type: ignore[attr-defined]
        of_others: list[Any] = []
        for layer in self._flatten_layers(include_self=False):  # type: ignore[attr-defined]
            if isinstance(layer, Trainer):
                of_others.extend(layer._compiled_metrics())
            else:
                found.extend(layer.metrics)
        unwanted = {id(one) for one in of_others}
        return [one for one in unique(found) if id(one) not in unwanted]

    def _compiled_metrics(self) -> list[Any]:
        """What `compile` made: the loss tracker, the metrics, and the losses of several outputs."""
        found = [one for one in (self._loss_tracker, self._compile_metrics) if one is not None]
        return found if self._compile_loss is None else [*found, *self._compile_loss.metrics]

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

    # --- the loop ------------------------------------------------------------------------------------------

    @_in_strategy
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
        source = self._open(
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
                validation_source = self._open(
                    *validation,
                    batch_size=validation_batch_size or batch_size,
                    steps=validation_steps,
                    rng=0,
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
                result = self._epoch(loop, epoch, step_limit)
                if result is None:
                    if epoch > initial_epoch:
                        break  # the source has warned that it ran dry; what was trained stays, and so do the logs
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

    @_in_strategy
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
        source = self._open(x, y, sample_weight, batch_size=batch_size, steps=steps, rng=0)
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
        result = self._epoch(loop, epoch, limit)
        if result is None:
            self._refuse_empty(loop.source, "evaluate")
        logs = self._host_logs(result)
        callbacks.on_test_end(logs)
        return logs

    @_in_strategy
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
        source = self._open(x, batch_size=batch_size, steps=steps, rng=0)
        step_limit = _config.max_steps_per_epoch()
        outputs: list[Any] = []
        try:
            steps = source.steps if step_limit is None else smallest(source.steps, step_limit)
            callbacks = self._callbacks(callbacks, verbose, history=False, epochs=1, steps=steps)
            execution = self._execution("predict")
            with _interruptible(callbacks):
                if self.stop_predicting:
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

    @_in_strategy
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

    @_in_strategy
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """One step of evaluation on one batch; returns as `train_on_batch` does."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    @_in_strategy
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        source = self._open(x, batch_size=length_of(x)) if self.split_function() is not None else None
        if source is not None:
            try:
                batch = next(source.batches())
            finally:
                source.close()
            return on_host(self._execution("predict").batch(batch[0] if source.bare else batch))
        return on_host(self._execution("predict").batch(_whole_batch(x)))

    def split_function(self) -> Any:
        """The host part and the device part of a model made from a graph; None where all runs on the device."""
        return None

    def _open(self, *data: Any, **settings: Any) -> Any:
        """The source of some data; what the model does on the host is done in it, ahead of the device."""
        source = open_source(*data, **settings)
        self._prepare_split(source)
        split = self.split_function()
        if split is None:
            return source
        rows = source.sample_count if isinstance(source, ArraySource) else None
        if rows is not None and split.fixed and rows * split.bytes_per_row <= _HOST_BYTES:
            # once for all epochs; and the results may lie on the device
            source.replace_x(self.host_results(source.arrays[0]))  # type: ignore[attr-defined]
            return source
        return MappedSource(source, self.host_results)  # type: ignore[attr-defined]

    def _prepare_split(self, source: Any) -> None:
        """Builds a model whose first layer takes text, if that needs the data."""

    def _on_batch(self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        source = self._open(x, y, sample_weight, batch_size=length_of(x), class_weight=class_weight)
        try:
            batch = next(iter(source.batches()))
        finally:
            source.close()
        self.reset_metrics()
        logs = self._host_logs(self._execution(kind).batch(batch[0] if source.bare else batch))
        return logs if return_dict else in_order(logs, self.metrics)

    def _epoch(self, loop: Loop, epoch: int, limit: int | None) -> Any:
        """One epoch of a loop. While our own steps run, what the model consists of is looked up once."""
        self.__dict__["_keeps"] = not self._has_own("train_step", "test_step", "predict_step")
        try:
            return loop.epoch(epoch, limit)
        finally:
            del self.__dict__["_keeps"]
            self.__dict__.pop("_kept", None)

    # --- parts of the loop -----------------------------------------------------------------------------------

    def _callbacks(self, callbacks: Any, verbose: int, history: bool = True, **params: Any) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        if callbacks is None and verbose == 0 and not history:
            return _NOBODY
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

    # --- files -------------------------------------------------------------------------------------------------

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, for a file."""
        if not self.compiled or self._untracked_arguments is None:
            return {}
        arguments = dict(self._untracked_arguments)
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


_NOBODY = CallbackList()  # who is called where nobody wants to be; it keeps nothing of the model


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


def _whole_batch(x: Any) -> Any:
    leaves = tree.flatten(x)
    if leaves and all(backend.is_array(one) or isinstance(one, np.ndarray) for one in leaves):
        return pack_x_y_sample_weight(x)
    source = open_source(x, batch_size=length_of(x))
    batch = next(source.batches())
    return batch[0] if source.bare else batch
