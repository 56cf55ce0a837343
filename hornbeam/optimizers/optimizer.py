"""`Optimizer`: turns gradients into updates of variables; a concrete one writes `update_step` and names its slots.

Clipping, weight decay, averages of weights, accumulation of gradients and loss scaling are here, once for all.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hornbeam import dtypes, scope
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, ArgumentTypeError, ValueStateError, describe, nearest
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.scope import Trace
from hornbeam.tracking import Tracking
from hornbeam.variable import Variable

xp = backend.xp


class Optimizer(Tracking):
    """Updates variables by their gradients.

    A subclass writes `update_step(gradient, variable, learning_rate)`, which assigns the new value, and lists in
    `slots` the names of the variables it keeps for each trained variable.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        weight_decay: The fraction of each weight, times the learning rate, taken away in each step.
        clipnorm: The largest norm of the gradient of one variable.
        clipvalue: The largest absolute value in a gradient.
        global_clipnorm: The largest norm of all gradients together.
        use_ema: Whether an exponential moving average of the weights is kept.
        ema_momentum: The weight of the past in that average.
        ema_overwrite_frequency: Every how many steps the weights are replaced by their average; None: at the
            end of training.
        loss_scale_factor: By what the loss is multiplied, and the gradients divided, against underflow.
        gradient_accumulation_steps: Over how many steps gradients are averaged before an update.
        name: A name.
    """

    tracked_kind = "optimizer"
    slots: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self.__dict__["_init_arguments"] = (args, kwargs)
        return self

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name if name is not None else scope.auto_name(scope.to_snake_case(type(self).__name__))
        if kwargs:
            wrong = sorted(kwargs)[0]
            known = inspect.signature(type(self).__init__).parameters
            raise ArgumentTypeError("known arguments", repr(wrong), self._where(), nearest(wrong, [*known, *_BASE_ARGUMENTS]))
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        clips = {one: value for one, value in clips.items() if value is not None}
        if len(clips) > 1:
            raise ArgumentError("one way of clipping", " and ".join(clips), self._where())
        for one, value in clips.items():
            _check_number(value, one, 0.0, self._where())
        if gradient_accumulation_steps is not None and not (
            isinstance(gradient_accumulation_steps, int) and gradient_accumulation_steps >= 2
        ):
            raise ArgumentError("an integer of at least 2", f"gradient_accumulation_steps={gradient_accumulation_steps}", self._where())
        if use_ema:
            _check_number(ema_momentum, "ema_momentum", 0.0, self._where(), 1.0)
            if ema_overwrite_frequency is not None and not (isinstance(ema_overwrite_frequency, int) and ema_overwrite_frequency >= 1):
                raise ArgumentError("an integer of at least 1 or None", f"ema_overwrite_frequency={ema_overwrite_frequency}", self._where())
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._variables: list[Variable] = []
        self._trained: list[Variable] = []
        self._places: dict[int, int] = {}
        self._excluded: set[int] = set()
        self._excluded_names: list[str] = []
        self._slots: dict[str, list[Variable | None]] = {}
        self.__dict__["_own_path"] = self.name
        self._iterations = self.add_variable((), "zeros", "int32", name="iteration")
        self._schedule: Any = None
        self._rate: Variable | None = None
        if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate) and not hasattr(learning_rate, "shape"):
            self._schedule = learning_rate
        else:
            if isinstance(learning_rate, bool) or not isinstance(learning_rate, (int, float, np.generic)) and not hasattr(learning_rate, "shape"):
                raise ArgumentError(
                    "a number, a LearningRateSchedule or a function as learning_rate", describe(learning_rate), self._where()
                )
            self._rate = self.add_variable((), lambda shape, dtype: np.asarray(float(learning_rate), np.float32), "float32", name="learning_rate")

    def _where(self) -> str:
        return f"optimizer {self.name!r}"

    # --- variables -----------------------------------------------------------------------------------------------

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: str = "none",
        layout: Any = None, name: str | None = None,
    ) -> Variable:
        """Makes a variable that belongs to the optimizer's state."""
        if initializer == "zeros":
            initializer = _zeros
        elif initializer == "ones":
            initializer = _ones
        elif isinstance(initializer, str):
            raise ArgumentError("'zeros', 'ones' or a function (shape, dtype)", repr(initializer), self._where())
        with scope.name_scope(self.__dict__["_own_path"]):
            variable = Variable(
                initializer, tuple(shape), dtype, trainable=False, autocast=False, aggregation=aggregation, name=name
            )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Makes a variable of the shape and dtype of a trained one."""
        name = f"{reference_variable.path.replace('/', '_')}_{name or 'slot'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable._dtype, name=name)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """Makes one variable, or one for each name, for each trained variable; lists of them are returned."""
        names = [name] if isinstance(name, str) else list(name)
        starts = [initializer] * len(names) if isinstance(initializer, str) or callable(initializer) else list(initializer)
        made: list[list[Any]] = [[] for _ in names]
        for variable in trainable_variables:
            for place, (one, start) in enumerate(zip(names, starts, strict=True)):
                plain = not variable.overwrite_with_gradient
                made[place].append(self.add_variable_from_reference(variable, one, start) if plain else None)
        return made[0] if isinstance(name, str) else tuple(made)

    def build(self, variables: Iterable[Variable]) -> None:
        """Makes the state for these variables; done by the first `apply` if not before."""
        if self.built:
            return
        self._trained = list(variables)
        for one in self._trained:
            if not isinstance(one, Variable):
                raise ArgumentTypeError("variables", describe(one), f"build of {self._where()}")
        self._places = {id(one): place for place, one in enumerate(self._trained)}
        self._make_slots()
        if self.use_ema:
            self._averages = self.add_optimizer_variables(self._trained, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = [
                self.add_variable_from_reference(one, "gradient_accumulator") for one in self._trained
            ]
        self.built = True

    def _make_slots(self) -> None:
        if self.slots:
            made = self.add_optimizer_variables(self._trained, self.slots)
            self._slots = dict(zip(self.slots, made, strict=True))

    def slot(self, name: str, variable: Variable) -> Variable:
        """The variable called `name` that the optimizer keeps for a trained variable."""
        return self._slots[name][self._place(variable)]  # type: ignore[return-value]

    def _place(self, variable: Variable) -> int:
        place = self._places.get(id(variable))
        if place is None:
            raise ArgumentError(
                "the variables the optimizer was built with", f"{variable.path!r}", self._where(),
                "Make a new optimizer, or build this one with all variables it is to train.",
            )
        return place

    def _get_variable_index(self, variable: Variable) -> int:
        return self._place(variable)

    @property
    def variables(self) -> list[Variable]:
        """The state: step count, learning rate, and what is kept for each trained variable."""
        return list(self._variables)

    @property
    def iterations(self) -> Variable:
        """How many steps were done."""
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the coming step; assigning a number or a schedule changes it."""
        if self._rate is not None:
            return self._rate
        if isinstance(self._schedule, LearningRateSchedule):
            return self._schedule(self._updates_so_far())
        return self._schedule()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or callable(value) and not hasattr(value, "shape"):
            if self._rate is not None:
                self._variables = [one for one in self._variables if one is not self._rate]
            self._schedule, self._rate = value, None
            return
        if self._rate is None:
            raise ValueStateError(
                "an optimizer whose learning rate is a number", "one with a schedule", self._where(),
                "Assign another schedule, or make the optimizer with a number.",
            )
        self._rate.assign(value)

    @property
    def lr(self) -> Any:
        """Older name of `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    def _updates_so_far(self) -> Any:
        steps = self.gradient_accumulation_steps
        return self._iterations.value // steps if steps else self._iterations.value

    # --- updates -------------------------------------------------------------------------------------------------

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Assigns the new value of one variable; written by subclasses.

        Args:
            gradient: A tensor of the variable's shape and dtype.
            variable: The variable.
            learning_rate: A scalar tensor of its dtype.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update_step")

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """One step for pairs of a gradient and a variable; returns the count of steps."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step.

        Args:
            grads: A gradient for each variable; None where there is none.
            trainable_variables: The variables; those the optimizer was built with if None.

        Raises:
            ValueError: If numbers or shapes do not fit, or all gradients are None. Nothing has changed then.
        """
        pairs = self._checked_pairs(grads, trainable_variables)
        grads, variables = [gradient for gradient, _ in pairs], [variable for _, variable in pairs]
        overwritten = [(g, v) for g, v in pairs if v.overwrite_with_gradient]
        if overwritten:
            for gradient, variable in overwritten:
                variable.assign(gradient)
            grads = [g for g, v in pairs if not v.overwrite_with_gradient]
            variables = [v for _, v in pairs if not v.overwrite_with_gradient]
        if self.loss_scale_factor is not None:
            grads = [gradient / _like(self.loss_scale_factor, gradient) for gradient in grads]
        if self.gradient_accumulation_steps:
            self._accumulate_and_update(grads, variables)
        else:
            self._update(grads, variables)
        self._iterations.assign(self._iterations.value + 1)

    def _checked_pairs(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None
    ) -> list[tuple[Any, Variable]]:
        """The gradients there are, with their variables; builds the optimizer. Raises before anything changes."""
        grads = list(grads)
        if trainable_variables is None and not self.built:
            raise ValueStateError("an optimizer that is built", "apply(grads) without variables", self._where())
        variables = list(self._trained if trainable_variables is None else trainable_variables)
        self._check(grads, variables)
        if not self.built:
            self.build(variables)
        return self._present(grads, variables)

    def _check(self, grads: list[Any], variables: list[Variable]) -> None:
        if len(grads) != len(variables):
            raise ArgumentError(f"{len(variables)} gradients, one for each variable", f"{len(grads)}", f"apply of {self._where()}")
        for gradient, variable in zip(grads, variables, strict=True):
            if not isinstance(variable, Variable):
                raise ArgumentTypeError("variables", describe(variable), f"apply of {self._where()}")
            if gradient is not None and tuple(gradient.shape) != variable.shape:
                raise ArgumentError(
                    f"a gradient of shape={variable.shape} for {variable.path!r}", f"shape={tuple(gradient.shape)}",
                    f"apply of {self._where()}",
                )
        if grads and all(one is None for one in grads):
            raise ArgumentError(
                "a gradient for at least one variable", "None for all", f"apply of {self._where()}",
                "Does the loss depend on the variables?",
            )

    def _present(self, grads: list[Any], variables: list[Variable]) -> list[tuple[Any, Variable]]:
        missing = [variable.path for gradient, variable in zip(grads, variables, strict=True) if gradient is None]
        if missing:
            warnings.warn(
                f"No gradient for {', '.join(missing)}: not updated. Does the loss depend on them?", stacklevel=4
            )
        pairs = []
        for gradient, variable in zip(grads, variables, strict=True):
            if gradient is not None:
                gradient = gradient.value if isinstance(gradient, Variable) else gradient
                gradient = gradient if backend.is_array(gradient) else backend.asarray(gradient)
                if backend.dtype(gradient) != backend.dtype(variable.value):
                    gradient = backend.cast(gradient, variable._dtype)
                pairs.append((gradient, variable))
        return pairs

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        """Clipping, weight decay, the update itself, averages, constraints."""
        grads = self._clipped(grads)
        rate = self._rate_now()
        self._decay(variables, rate)
        self._update_all(grads, variables, rate)
        if self.use_ema:
            self._average(variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))

    def _update_all(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, _like(rate, gradient))

    def _rate_now(self) -> Any:
        rate = self.learning_rate
        return rate.value if isinstance(rate, Variable) else rate

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [_to_norm(one, _norm([one]), self.clipnorm) for one in grads]
        if self.global_clipnorm:
            norm = _norm(grads)
            return [_to_norm(one, norm, self.global_clipnorm) for one in grads]
        if self.clipvalue:
            return [xp.clip(one, _like(-self.clipvalue, one), _like(self.clipvalue, one)) for one in grads]
        return grads

    def _decay(self, variables: list[Variable], rate: Any) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                value = variable.value
                variable.assign(value - value * _like(self.weight_decay, value) * _like(rate, value))

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leaves variables out of weight decay; to be called before the optimizer is built.

        Args:
            var_list: The variables.
            var_names: Patterns; a variable whose path one of them is found in is left out.
        """
        if self.built:
            raise ValueStateError("an optimizer that is not built yet", "a built one", f"exclude_from_weight_decay of {self._where()}")
        self._excluded.update(id(one) for one in var_list or ())
        self._excluded_names.extend(var_names or ())

    def _use_weight_decay(self, variable: Variable) -> bool:
        if id(variable) in self._excluded:
            return False
        return not any(re.search(one, variable.path) for one in self._excluded_names)

    def _average(self, variables: list[Variable]) -> None:
        for variable in variables:
            average = self._averages[self._place(variable)]
            value = variable.value
            first = self._iterations.value == 0
            momentum = xp.where(first, _like(0.0, value), _like(self.ema_momentum, value))
            average.assign(average.value * momentum + value * (_like(1.0, value) - momentum))
            if self.ema_overwrite_frequency:
                due = (self._iterations.value + 1) % self.ema_overwrite_frequency == 0
                variable.assign(xp.where(due, average.value, value))

    def _accumulate_and_update(self, grads: list[Any], variables: list[Variable]) -> None:
        """Adds up gradients; each `gradient_accumulation_steps` steps their mean makes an update."""
        steps = self.gradient_accumulation_steps
        assert steps is not None
        due = (self._iterations.value + 1) % steps == 0
        sums = []
        for gradient, variable in zip(grads, variables, strict=True):
            accumulated = self._accumulated[self._place(variable)]
            sums.append(accumulated.value + gradient)
        # The update is worked out in a trace, and takes effect only where it is due.
        kept_out = {id(one) for one in self._accumulated} | {id(self._iterations)}
        with Trace() as trace:
            self._update([one / _like(float(steps), one) for one in sums], variables)
        for variable, value in trace.updates():
            if id(variable) not in kept_out:
                variable.assign(xp.where(due, value, variable.value))
        for total, variable in zip(sums, variables, strict=True):
            self._accumulated[self._place(variable)].assign(xp.where(due, xp.zeros_like(total), total))

    def scale_loss(self, loss: Any) -> Any:
        """The loss from which gradients are to be taken."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Called at the end of training: averages of weights take the place of the weights."""
        if self.use_ema and self.built and self.ema_overwrite_frequency is None:
            for variable in var_list:
                place = self._places.get(id(variable))
                if place is not None and self._averages[place] is not None:
                    variable.assign(self._averages[place].value)

    def assign(self, variable: Variable, value: Any) -> None:
        """Assigns to a variable; here so that subclasses may watch assignments."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable."""
        variable.assign(variable.value + value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable."""
        variable.assign(variable.value - value)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """`apply` as a pure function of the values of the variables.

        Args:
            optimizer_variables: A value for each of `variables`.
            grads: The gradients.
            trainable_variables: A value for each variable the optimizer was built with.

        Returns:
            The new values of the trained variables, and of the optimizer's.
        """
        if not self.built:
            raise ValueStateError("an optimizer that is built", "stateless_apply before build", self._where(), "Call optimizer.build(model.trainable_variables).")
        if len(optimizer_variables) != len(self._variables) or len(trainable_variables) != len(self._trained):
            raise ArgumentError(
                f"{len(self._variables)} optimizer values and {len(self._trained)} trained values",
                f"{len(optimizer_variables)} and {len(trainable_variables)}", f"stateless_apply of {self._where()}",
            )
        pairs = [
            *zip(self._trained, trainable_variables, strict=True),
            *zip(self._variables, optimizer_variables, strict=True),
        ]
        with Trace([(one, value.value if isinstance(value, Variable) else value) for one, value in pairs]) as trace:
            self.apply(grads)
            return [trace.get(one) for one in self._trained], [trace.get(one) for one in self._variables]

    # --- saving --------------------------------------------------------------------------------------------------

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets all variables of the state."""
        if len(weights) != len(self._variables):
            raise ArgumentError(f"{len(self._variables)} arrays", f"{len(weights)}", f"set_weights of {self._where()}")
        for variable, value in zip(self._variables, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ArgumentError(f"shape={variable.shape} for {variable.path!r}", f"shape={np.shape(value)}", self._where())
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a mapping of names to arrays."""
        for place, variable in enumerate(self._variables):
            store[str(place)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the state from a mapping of names to arrays."""
        if len(store.keys()) != len(self._variables):
            warnings.warn(
                f"Skipping the state of {self._where()}: it has {len(self._variables)} variables, the file "
                f"{len(store.keys())}.", stacklevel=2,
            )
            return
        for place, variable in enumerate(self._variables):
            variable.assign(store[str(place)])

    def _children(self) -> list[tuple[str, Any]]:
        return []

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        rate: Any = self._schedule
        if self._rate is not None:
            rate = float(self._rate.numpy())
        config = {
            "name": self.name, "learning_rate": serialize_value(rate), "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm, "global_clipnorm": self.global_clipnorm, "clipvalue": self.clipvalue,
            "use_ema": self.use_ema, "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency, "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
        args, kwargs = self.__dict__["_init_arguments"]
        try:
            bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        except TypeError:
            return config
        bound.apply_defaults()
        for name, parameter in list(inspect.signature(type(self).__init__).parameters.items())[1:]:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or name in config:
                continue
            config[name] = serialize_value(getattr(self, name, bound.arguments[name]))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer made from what `get_config` gave."""
        return cls(**{name: deserialize_value(value) for name, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


_BASE_ARGUMENTS = tuple(inspect.signature(Optimizer.__init__).parameters)[1:-1]


def _zeros(shape: Any, dtype: Any = None) -> Any:
    return np.zeros(shape, "float32" if dtypes.is_float(dtype) else dtype)


def _ones(shape: Any, dtype: Any = None) -> Any:
    return np.ones(shape, "float32" if dtypes.is_float(dtype) else dtype)


def _like(value: Any, tensor: Any) -> Any:
    """A number or scalar tensor in the dtype of `tensor`."""
    if isinstance(value, Variable):
        value = value.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not backend.is_array(value):
        return backend.asarray(value, backend.dtype(tensor))
    return value if value.dtype == tensor.dtype else backend.cast(value, backend.dtype(tensor))


def _norm(grads: list[Any]) -> Any:
    total = None
    for one in grads:
        wide = one if dtypes.standardize_dtype(one.dtype) in ("float32", "float64") else backend.cast(one, "float32")
        part = xp.sum(xp.square(wide))
        total = part if total is None else total + part
    return xp.sqrt(total)


def _to_norm(gradient: Any, norm: Any, limit: float) -> Any:
    # an infinite or NaN norm stays visible: the update becomes NaN and does not pass for a step
    factor = xp.where(norm > limit, limit / norm, xp.ones_like(norm))
    return gradient * _like(factor, gradient)


def _check_number(value: Any, name: str, least: float, where: str, most: float | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.generic)) or value < least or (most is not None and value > most):
        raise ArgumentError(f"a number of at least {least}" + (f" and at most {most}" if most is not None else ""), f"{name}={value!r}", where)
