"""`Optimizer`: turns gradients into updates of variables; a concrete one names its slots and writes `update_step`.

Clipping, weight decay, averages of weights, accumulation of gradients and loss scaling are here, once for all.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from hornbeam import initializers, scope
from hornbeam._arguments import Recorded
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import (
    ArgumentError,
    ArgumentTypeError,
    UnsupportedError,
    ValueStateError,
    describe,
    nearest,
    warn,
)
from hornbeam.optimizers import clipping
from hornbeam.optimizers.conditional import when
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.optimizers.state import OptimizerState
from hornbeam.optimizers.together import Together, grouped
from hornbeam.saving import registration
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.scope import Trace, context
from hornbeam.transforms import grad
from hornbeam.variable import Variable, assign_all

xp = backend.xp


@wire("keras.optimizers.Optimizer", "keras.Optimizer")
class Optimizer(Recorded, OptimizerState):
    """Updates variables by their gradients.

    A subclass writes `update_step(gradient, variable, learning_rate)`, which assigns the new value, and lists in
    `slots` the names of the variables that it keeps for each trained variable.

    Args:
        learning_rate: A number, a schedule, or a function without arguments.
        weight_decay: The fraction of each weight, times the learning rate, taken away in each step.
        clipnorm: The largest norm of the gradient of one variable.
        clipvalue: The largest absolute value in a gradient.
        global_clipnorm: The largest norm of all gradients together.
        use_ema: Whether an exponential moving average of the weights is kept.
        ema_momentum: The weight of the past in that average, in [0, 1].
        ema_overwrite_frequency: Every how many steps the weights are replaced by their average; None for only at
            the end of training.
        loss_scale_factor: By what the loss is multiplied, and the gradients divided, against underflow.
        gradient_accumulation_steps: Over how many steps gradients are averaged before an update, at least 2.
        name: A name.

    Raises:
        ValueError: For values that cannot be used, and for more than one way of clipping.

    >>> import hornbeam as keras
    >>> class Signs(keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.assign_sub(learning_rate * keras.ops.sign(gradient))
    >>> v = keras.Variable([1.0, 1.0])
    >>> Signs(0.5).apply([keras.ops.convert_to_tensor([3.0, -3.0])], [v])
    >>> v.numpy().tolist()
    [0.5, 1.5]
    """

    # groups of names; the variables of one group lie side by side in the state: part of the file format
    slots: tuple[tuple[str, ...], ...] = ()

    def __init__(
        self,
        learning_rate: Any,
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
        super().__init__(name if name is not None else scope.auto_name(scope.to_snake_case(type(self).__name__)))
        self._refuse(kwargs)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_options()
        self.built = False
        self._excluded: list[Variable] = []
        self._excluded_names: list[str] = []
        self._averages: list[Variable | None] = []
        self._accumulated: list[Variable | None] = []
        self._schedule: Any = None
        self._rate: Variable | None = None
        self._iterations = self.add_variable((), "zeros", "int32", name="iteration")
        if _is_schedule(learning_rate):
            self._schedule = learning_rate
        else:
            start = initializers.Constant(_checked_rate(learning_rate, self._where()))
            self._rate = self.add_variable((), start, "float32", name="learning_rate")

    def _refuse(self, unknown: dict[str, Any]) -> None:
        if unknown.pop("decay", None) is not None:
            warn("The argument `decay` has no effect: use learning_rate=InverseTimeDecay(...).")
        if unknown:
            known = {*inspect.signature(type(self).__init__).parameters, *_BASE_ARGUMENTS} - {"self", "kwargs"}
            wrong = sorted(unknown)[0]
            raise ArgumentError("known arguments", repr(wrong), self._where(), nearest(wrong, known))

    def _check_options(self) -> None:
        where = self._where()
        clips = [one for one in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, one) is not None]
        if len(clips) > 1:
            raise ArgumentError("one way of clipping", " and ".join(clips), where)
        for one in clips:
            _check_number(getattr(self, one), one, where)
        for one in ("weight_decay", "loss_scale_factor"):
            if getattr(self, one) is not None:
                _check_number(getattr(self, one), one, where)
        if self.gradient_accumulation_steps:
            _check_count(self.gradient_accumulation_steps, "gradient_accumulation_steps", 2, where)
        if self.use_ema:
            _check_number(self.ema_momentum, "ema_momentum", where, most=1.0)
            if self.ema_overwrite_frequency:
                _check_count(self.ema_overwrite_frequency, "ema_overwrite_frequency", 1, where)

    # --- state ---------------------------------------------------------------------------------------------------

    def build(self, variables: Iterable[Variable]) -> None:
        """Makes the state for the variables that are to be trained; the first `apply` does it if nobody has."""
        if self.built:
            return
        self._register(variables)
        trained = self._trainable_variables
        if self.use_ema:
            self._averages = self.add_optimizer_variables(trained, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(trained, "gradient_accumulator")
        self._make_slots(trained)
        self.built = True

    def _make_slots(self, variables: list[Variable]) -> None:
        for group in self.slots:
            made = self.add_optimizer_variables(variables, group, self._slot_start())
            self._slots.update(zip(group, made, strict=True))

    def _slot_start(self) -> Any:
        """The initializer of the slots."""
        return "zeros"

    @property
    def iterations(self) -> Any:
        """How many updates were done: a variable, or with accumulation of gradients a tensor."""
        steps = self.gradient_accumulation_steps
        return self._iterations.value // steps if steps else self._iterations

    def _count(self) -> Any:
        """How many updates were done, a tensor."""
        return _value(self.iterations)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the coming step; assigning a number or a schedule changes it."""
        if self._rate is not None:
            return self._rate
        if isinstance(self._schedule, LearningRateSchedule):
            return self._schedule(self._iterations.value)
        return self._schedule()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if _is_schedule(value):
            if self._rate is not None:
                self._variables = [one for one in self._variables if one is not self._rate]
            self._schedule, self._rate = value, None
        elif self._rate is None:
            raise ArgumentTypeError(
                "a schedule, since the learning rate is one", describe(value), self._where(),
                "Make the optimizer with a number to change it by numbers.",
            )
        else:
            self._rate.assign(value)

    @property
    def lr(self) -> Any:
        """Older name of `learning_rate`."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    # --- updates -------------------------------------------------------------------------------------------------

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Assigns the new value of one variable, and of its slots; written by subclasses.

        Args:
            gradient: A tensor of the variable's shape and dtype; float32 in place of float16 and bfloat16.
            variable: The variable.
            learning_rate: A float32 scalar tensor.
        """
        raise UnsupportedError("an optimizer with an `update_step` method", "none", type(self).__name__)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """One step for pairs of a gradient and a variable; returns the count of steps."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def minimize(self, loss: Any, var_list: Sequence[Variable], tape: Any = None) -> Any:
        """One step down a loss; from before `value_and_grad`.

        Args:
            loss: A function without arguments that gives a scalar; or, together with `tape`, a scalar tensor.
            var_list: The variables to change.
            tape: The gradient tape that recorded the loss: ours, or that of the framework.

        Returns:
            The count of steps.

        >>> import hornbeam as keras
        >>> v = keras.Variable(3.0)
        >>> count = keras.optimizers.SGD(0.5).minimize(lambda: v * v, [v])
        >>> float(v)
        0.0
        """
        variables = list(var_list)
        if tape is not None:
            with tape if callable(loss) else nullcontext():
                value = loss() if callable(loss) else loss
            gradients = tape.gradient(value, variables)
        elif callable(loss):
            gradients = grad(loss, variables)
        else:
            raise ArgumentTypeError(
                "a function that gives the loss, or a tape as well", describe(loss), f"minimize of {self._where()}"
            )
        self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step; if it raises, nothing has changed.

        Args:
            grads: A gradient for each variable. Variables whose gradient is None are left as they are.
            trainable_variables: The variables; those the optimizer was built with if None.

        Raises:
            ValueError: If numbers or shapes do not fit, if all gradients are None, and for variables that the
                optimizer was not built with.

        >>> import hornbeam as keras
        >>> v = keras.Variable([1.0, 2.0])
        >>> keras.optimizers.SGD(0.5).apply([keras.ops.ones(2)], [v])
        >>> v.numpy().tolist()
        [0.5, 1.5]
        """
        if self._as_before(grads, trainable_variables):
            return
        pairs = self._checked_pairs(grads, trainable_variables)
        if not pairs:
            return
        with backend.no_gradients():
            variables = [variable for _, variable in pairs]
            gradients = backend.summed([gradient for gradient, _ in pairs])
            if self._in_place(gradients, variables):
                self.__dict__["_known_variables"] = variables
                return
            with Trace() as trace:
                self._step(list(zip(gradients, variables, strict=True)))
            assign_all(trace.updates())

    def _as_before(self, grads: Sequence[Any], variables: Sequence[Variable] | None) -> bool:
        """A step for variables that were checked in the step before, with gradients that lie and count as they do."""
        known = self.__dict__.get("_known_variables")
        if known is None or variables is None or len(variables) != len(known) or len(grads) != len(known):
            return False
        if not all(map(operator.is_, variables, known)) or not backend.alike(grads, [one._handle for one in known]):
            return False
        with backend.no_gradients():
            return self._in_place(backend.summed(grads), known)

    def _in_place(self, gradients: list[Any], variables: list[Variable]) -> bool:
        """The whole step by a kernel of the backend that updates variables in place, if it has one for this step."""
        if not backend.kernels or context.trace is not None:
            return False
        if self.use_ema or self.gradient_accumulation_steps or self.loss_scale_factor is not None:
            return False
        dtype = variables[0]._dtype
        if dtype not in ("float32", "float64"):
            return False
        for one in variables:
            if one._dtype != dtype or one.constraint is not None or one.overwrite_with_gradient:
                return False
        kernel = self._kernel()
        if kernel is None:
            return False
        rate = self.learning_rate
        decaying = [one._handle for one in variables if self._use_weight_decay(one)] if self.weight_decay else []
        kernel(
            variables, self._clipped(gradients),
            rate._handle if isinstance(rate, Variable) else backend.asarray(rate, "float32"), decaying,
        )
        return True

    def _kernel(self) -> Any:
        """A function (variables, gradients, rate, handles that decay) that does all of `update_step` in place, or None.

        Written by the optimizers for whose arithmetic backends have kernels; not for classes that change it.
        """
        return None

    def _slots_of(self, variables: list[Variable], *names: str) -> list[list[Any]]:
        """For each name the handles of the slots of these variables, which are looked up once for the same ones."""
        known = self.__dict__.get("_known_slots")
        if known is None or known[0] != names or known[1] != [id(one) for one in variables]:
            key = [id(one) for one in variables]
            found = [[self.slot(name, one) for one in variables] for name in names]
            known = self.__dict__["_known_slots"] = (names, key, found)
        return [[one._handle for one in group] for group in known[2]]

    def _step(self, pairs: list[tuple[Any, Variable]]) -> None:
        """All that one step does, with gradients that were checked."""
        for gradient, variable in pairs:
            if variable.overwrite_with_gradient:
                variable.assign(gradient)
        grads = [gradient for gradient, variable in pairs if not variable.overwrite_with_gradient]
        variables = [variable for _, variable in pairs if not variable.overwrite_with_gradient]
        if self.loss_scale_factor is not None:
            grads = [gradient / self.loss_scale_factor for gradient in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables, self.gradient_accumulation_steps)
        else:
            self._update(grads, variables)
        if self.use_ema:
            self._average()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self._iterations.assign(self._iterations.value + 1)

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        grads = self._clipped(grads)
        rate = backend.asarray(_value(self.learning_rate), "float32")
        self._before_updates(variables)
        if backend.bundle is not None and len(variables) > 1 and self._apart is False:
            try:
                with Trace() as trace:
                    self._update_together(grads, variables, rate)
            except UnsupportedError:
                self._apart = True
            else:
                assign_all(trace.updates())
                return
        for variable in variables:
            self._decay(variable, rate)
        for gradient, variable in zip(grads, variables, strict=True):
            if variable._dtype in ("float16", "bfloat16"):  # read in single precision, as gradients and slots are
                with scope.autocast("float32"):
                    self.update_step(gradient, variable, rate)
            else:
                self.update_step(gradient, variable, rate)

    # whether this optimizer has been found to update its variables one by one only
    _apart = False

    def _update_together(self, grads: list[Any], variables: list[Variable], rate: Any) -> None:
        """The updates, each operation once for all variables of a kind."""
        key = tuple(map(id, variables))
        if self.__dict__.get("_grouped", (None, None))[0] != key:
            self.__dict__["_grouped"] = (key, grouped(self, variables))
        groups: Any = self.__dict__["_grouped"][1]
        for _, group in groups:
            self._decay(group, rate)
        for places, group in groups:
            self.update_step(backend.bundle([grads[one] for one in places]), group, rate)

    def _before_updates(self, variables: list[Variable]) -> None:
        """Called once in each update, before weights decay."""

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm:
            return clipping.clip_norm(grads, self.clipnorm)
        if self.global_clipnorm:
            return clipping.clip_global_norm(grads, self.global_clipnorm)
        return clipping.clip_value(grads, self.clipvalue) if self.clipvalue else grads

    def _decay(self, variable: Variable, rate: Any) -> None:
        if self.weight_decay is not None and self._use_weight_decay(variable):
            value = clipping.wide(variable.value)
            variable.assign(value - value * self.weight_decay * rate)

    def _accumulate(self, grads: list[Any], variables: list[Variable], steps: int) -> None:
        """Adds up gradients; each `steps` steps their mean makes an update, whose cost arises only then."""
        sums = [self._accumulated[self._places[id(variable)]] for variable in variables]
        for total, gradient in zip(sums, grads, strict=True):
            total.assign(total.value + gradient)  # type: ignore[union-attr]

        def update() -> None:
            self._update([clipping.wide(total.value) / steps for total in sums], variables)  # type: ignore[union-attr]
            for total in sums:
                total.assign(xp.zeros_like(total.value))  # type: ignore[union-attr]

        when((self._iterations.value + 1) % steps == 0, update)

    def _average(self) -> None:
        count = self._count()
        momentum = xp.where(count == 0, 0.0, self.ema_momentum)
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            if average is None:
                continue
            value = clipping.wide(variable.value)
            average.assign(average.value * momentum + value * (1 - momentum))
            if self.ema_overwrite_frequency:
                due = (count + 1) % self.ema_overwrite_frequency == 0
                variable.assign(xp.where(due, average.value, variable.value))

    # --- checks before a step --------------------------------------------------------------------------------------

    def _checked_pairs(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None
    ) -> list[tuple[Any, Variable]]:
        """The gradients there are, with their variables; builds the optimizer. Raises before anything changes."""
        where = f"apply of {self._where()}"
        grads = list(grads)
        if trainable_variables is None and any(isinstance(one, tuple) for one in grads):
            raise ArgumentTypeError(
                "gradients", "pairs", where, "Pass gradients and variables apart, or pairs to apply_gradients."
            )
        if trainable_variables is None and not self.built:
            raise ValueStateError("an optimizer that is built", "no variables", where, "Pass the variables as well.")
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if len(grads) != len(variables):
            raise ArgumentError(f"{len(variables)} gradients, one for each variable", str(len(grads)), where)
        pairs, missing = [], []
        for gradient, variable in zip(grads, variables, strict=True):
            if not isinstance(variable, Variable):
                raise ArgumentTypeError("variables", describe(variable), where)
            if gradient is None:
                missing.append(variable.path)
                continue
            pairs.append((_fitting(gradient, variable, where), variable))
        if missing and not pairs:
            raise ArgumentError("a gradient for some variable", "None for all", where, "Does the loss depend on them?")
        if not self.built:
            self.build(variables)
        self._refuse_unknown(variables)
        if missing:
            warn(f"No gradients for {', '.join(missing)}: not updated. Does the loss depend on them?")
        return pairs

    # --- weight decay, loss scaling, the end of training -----------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leaves variables out of weight decay.

        Args:
            var_list: The variables.
            var_names: Regular expressions; a variable in whose path one of them is found is left out.

        >>> import hornbeam as keras
        >>> keras.optimizers.AdamW().exclude_from_weight_decay(var_names=["bias", "gamma"])
        """
        self.__dict__.pop("_grouped", None)
        self._excluded.extend(var_list or ())
        self._excluded_names.extend(var_names or ())

    def _use_weight_decay(self, variable: Variable) -> bool:
        if type(variable) is Together:
            return variable.decays
        if any(one is variable for one in self._excluded):
            return False
        return not any(re.search(one, variable.path) for one in self._excluded_names)

    def scale_loss(self, loss: Any) -> Any:
        """The loss from which gradients are to be taken."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Called at the end of training: averages of weights, where kept, take the place of the weights."""
        if not self.use_ema or not self.built:
            return
        for variable in var_list:
            place = self._places.get(id(variable))
            average = None if place is None else self._averages[place]
            if average is not None:
                variable.assign(average.value)

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

        Raises:
            ValueError: If the optimizer is not built, or the numbers of values do not fit.
        """
        if not self.built:
            raise ValueStateError(
                "an optimizer that is built", "one that is not", f"stateless_apply of {self._where()}",
                "Call optimizer.build(model.trainable_variables) first.",
            )
        own, trained = self.variables, self._trainable_variables
        if len(optimizer_variables) != len(own) or len(trainable_variables) != len(trained):
            raise ArgumentError(
                f"{len(own)} optimizer values and {len(trained)} trained values",
                f"{len(optimizer_variables)} and {len(trainable_variables)}", f"stateless_apply of {self._where()}",
            )
        pairs = zip([*trained, *own], [*trainable_variables, *optimizer_variables], strict=True)
        with Trace([(one, _value(value)) for one, value in pairs]) as trace:
            self.apply(grads, trained)
            return [trace.get(one) for one in trained], [trace.get(one) for one in own]

    # --- saving --------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        config: dict[str, Any] = {
            "name": self.name,
            "learning_rate": serialize_value(self._schedule) if self._rate is None else float(self._rate.numpy()),
        }
        config.update({name: getattr(self, name) for name in _BASE_ARGUMENTS if name not in config})
        for name, value in self._settled_arguments(without=config).items():
            config[name] = serialize_value(value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer made from what `get_config` gave."""
        with registration.CustomObjectScope(custom_objects):
            return cls(**{name: deserialize_value(value) for name, value in config.items()})


_BASE_ARGUMENTS = tuple(inspect.signature(Optimizer.__init__).parameters)[1:-1]


def _value(value: Any) -> Any:
    return value.value if isinstance(value, Variable) else value


def _fitting(gradient: Any, variable: Variable, where: str) -> Any:
    """A gradient as a tensor in the precision of the update."""
    gradient = _value(gradient)
    if not backend.is_array(gradient):
        gradient = backend.asarray(gradient)
    if backend.shape(gradient) != variable.shape:
        raise ArgumentError(
            f"a gradient of shape={variable.shape} for {variable.path!r}", f"shape={backend.shape(gradient)}", where
        )
    if variable.overwrite_with_gradient:
        return gradient
    wanted = "float32" if variable._dtype in ("float16", "bfloat16") else variable._dtype
    return gradient if backend.dtype(gradient) == wanted else backend.cast(gradient, wanted)


def _is_schedule(rate: Any) -> bool:
    return isinstance(rate, LearningRateSchedule) or (callable(rate) and not hasattr(rate, "shape"))


def _checked_rate(rate: Any, where: str) -> float:
    scalar = isinstance(rate, (int, float, np.number)) or getattr(rate, "shape", None) == ()
    if isinstance(rate, bool) or not scalar:
        raise ArgumentError("a number, a LearningRateSchedule or a function as learning_rate", describe(rate), where)
    return float(rate)


def _check_number(value: Any, name: str, where: str, most: float = float("inf")) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value <= most:
        top = "" if most == float("inf") else f" and at most {most:g}"
        raise ArgumentError(f"a number of at least 0{top}", f"{name}={value!r}", where)


def _check_count(value: Any, name: str, least: int, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"an integer of at least {least}", f"{name}={value!r}", where)
