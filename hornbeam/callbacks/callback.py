"""`Callback`: what a user hooks into `fit`, `evaluate` and `predict`; and `CallbackList`, which calls several."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from hornbeam import tree
from hornbeam.errors import ArgumentTypeError, describe

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_predict_batch_begin",
    "on_predict_batch_end",
)


class Callback:
    """Methods that the training loop calls at its turning points; a subclass writes those it needs.

    `logs` is a dict of numbers; what a callback changes in it, later callbacks see.

    Attributes:
        model: The model.
        params: "verbose", "epochs" and "steps" of the run.
        every_batch: Whether the hooks of single batches must be called for each batch. By default that is so if
            the class writes one. If no callback needs it, the loop runs many batches in one go, and calls these
            hooks now and then, with the number of the last batch done.

    >>> import hornbeam as keras
    >>> class Printer(keras.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, sorted(logs))
    """

    every_batch: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "every_batch" not in cls.__dict__ and any(name in cls.__dict__ for name in _BATCH_HOOKS):
            cls.every_batch = True

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained, evaluated or asked."""
        return self.__dict__.get("_model")

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once before a run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called once before a run."""
        self._model = model

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after an epoch of training and its validation, with the results of both."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch of training."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of training, with the results so far in this epoch."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of evaluation or validation, with the results so far."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of prediction, with its outputs in `logs["outputs"]`."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called before training."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called after training, with the results of the last epoch."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called before evaluation or validation."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called after evaluation or validation, with the results."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called before prediction."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called after prediction."""

    def on_interrupt(self) -> None:
        """Called when training, evaluation or prediction ends by an exception or Ctrl-C."""


class CallbackList(Callback):
    """Several callbacks, called in order.

    Args:
        callbacks: Callbacks, in any nesting.
        add_history: Whether the record that `fit` returns is among them.
        add_progbar: Whether a progress bar is among them.
        model: The model.
        **params: What the callbacks get as `params`.
    """

    # installed by the modules that define them
    history_class: type[Callback]
    progress_class: type[Callback]

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Callback] = [] if callbacks is None else tree.flatten(callbacks)
        for one in self.callbacks:
            if not isinstance(one, Callback):
                raise ArgumentTypeError(
                    "callbacks",
                    describe(one),
                    "callbacks",
                    "Make an instance of the class first." if isinstance(one, type) else "",
                )
        if add_progbar and not any(isinstance(one, self.progress_class) for one in self.callbacks):
            self.callbacks.append(self.progress_class())
        histories = [one for one in self.callbacks if isinstance(one, self.history_class)]
        if add_history and not histories:
            histories.append(self.history_class())
            self.callbacks.append(histories[0])
        self.history = histories[0] if histories else None
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Puts one more callback at the end."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Passes `params` to all."""
        self.params = params
        for one in self.callbacks:
            one.set_params(params)

    def set_model(self, model: Any) -> None:
        """Passes the model to all."""
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for one in self.callbacks:
            one.set_model(model)

    def need_every_batch(self, phase: str) -> bool:
        """Whether some callback wants the hooks of each batch in "train", "test" or "predict"."""
        return any(one.every_batch and _writes_batch_hooks(type(one), phase) for one in self.callbacks)


def _writes_batch_hooks(cls: type, phase: str) -> bool:
    names = [f"on_{phase}_batch_begin", f"on_{phase}_batch_end"]
    if phase == "train":
        names += ["on_batch_begin", "on_batch_end"]
    return any(getattr(cls, name) is not getattr(Callback, name) for name in names)


def _pass_on(name: str) -> Any:
    base = getattr(Callback, name)
    named = list(inspect.signature(base).parameters)[1:]

    def hook(self: CallbackList, *args: Any, **kwargs: Any) -> None:
        if not self.callbacks:
            return
        # functions of users may ask for the logs, whether there are any or not
        given = [*args, *(kwargs[one] for one in named[len(args) :] if one in kwargs)]
        if named and named[-1] == "logs":
            given = [*given[: len(named) - 1], given[-1] if len(given) == len(named) and given[-1] is not None else {}]
        for one in self.callbacks:
            getattr(one, name)(*given)

    hook.__name__, hook.__doc__ = name, base.__doc__
    return hook


def _hooks() -> Iterable[str]:
    return [
        name for name in vars(Callback) if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end")
    ]


for _name in _hooks():
    setattr(CallbackList, _name, _pass_on(_name))
CallbackList.on_batch_begin = lambda self, batch, logs=None: self.on_train_batch_begin(batch, logs)  # type: ignore[method-assign]
CallbackList.on_batch_end = lambda self, batch, logs=None: self.on_train_batch_end(batch, logs)  # type: ignore[method-assign]
