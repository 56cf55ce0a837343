"""`Layer`: state and a computation on tensors; everything that is built out of layers rests on this class.

`__call__` reads top to bottom: convert the inputs, check them, build, fill in what the context knows
(`training`, masks), run, finish. It does not know models, losses or optimizers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import dtype_policies, dtypes, regularizers, scope, tree
from hornbeam.backend import active as backend
from hornbeam.backend.base import is_numeric
from hornbeam.errors import (
    ArgumentError,
    ArgumentTypeError,
    UnknownAttributeError,
    UnsupportedError,
    ValueStateError,
    nearest,
    warn,
)
from hornbeam.layers.building import Building, note
from hornbeam.layers.input_spec import check_inputs
from hornbeam.layers.signature import (
    SHAPE_HINTS,
    CallSignature,
    parameters_of,
    shape_hint,
    shape_parameters,
)
from hornbeam.saving.config import deserialize_value, serialize_value
from hornbeam.scope import Trace, context
from hornbeam.symbolic import KerasTensor, Operation, infer, record
from hornbeam.variable import Variable

_WRITTEN_APART = ("name", "trainable", "dtype", "activity_regularizer")
_BASES: tuple[type, ...] = (Building, Operation, backend.layer_base)


class Layer(*_BASES):  # type: ignore[misc]
    """A computation on tensors together with the variables it owns.

    A subclass makes its variables in `__init__` or, knowing the shape of its inputs, in `build`, and writes
    the computation in `call`. Layers, variables, metrics and seed generators assigned to attributes, also in
    lists and dicts, are found and belong to the layer.

    Args:
        activity_regularizer: A regularizer of the outputs; what it gives is added to the losses.
        trainable: Whether the variables may be trained.
        dtype: A dtype name, policy name or `DTypePolicy`; None takes the global policy.
        autocast: Whether float inputs are cast to the compute dtype.
        name: A name without "/"; None counts up from the class's name in snake case.
        **kwargs: `input_shape`, `input_dim`, `batch_size` or `batch_shape` of the first layer of a Sequential,
            as in older programs.

    >>> import hornbeam as keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()(keras.ops.ones((2, 3))).shape
    (2, 3)
    """

    tracked_kind = "layer"
    _call_signature: CallSignature

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "call" in cls.__dict__ or "_call_signature" not in cls.__dict__:
            cls._call_signature = CallSignature(cls.call)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        backend.layer_base.__init__(self)
        Operation.__init__(self, name=name)
        hint = shape_hint(kwargs)
        if kwargs:
            known = set(parameters_of(type(self))) | {"name", "dtype", "trainable", "autocast", "activity_regularizer"}
            wrong = sorted(kwargs)
            raise ArgumentTypeError(
                "known arguments",
                f"{', '.join(wrong)}",
                f"{type(self).__name__} {self.name!r}",
                nearest(wrong[0], known),
            )
        if not isinstance(trainable, (bool, np.bool_)):
            raise ArgumentTypeError(
                "trainable to be True or False", repr(trainable), f"{type(self).__name__} {self.name!r}"
            )
        if hint is not None:
            self._input_shape_hint = hint
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec: Any = None
        self.supports_masking = False
        self._trainable = bool(trainable)
        self.built = False
        self._path: str | None = None
        self._own_trainable: list[Variable] = []
        self._own_frozen: list[Variable] = []
        self._build_shapes: Any = None
        self._warned_of_mask = False
        if context.remat is not None:
            self.__dict__["_remat"] = context.remat

    # the scope in which the layer was made, which says what is computed again for the gradient
    _remat: Any = None

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer_call` for these arguments as the `RematScope` wants it in which the layer was made.

        Args:
            layer_call: A function such as `self.call`.
            *args: What it will be called with.
            **kwargs: Likewise by name.

        Returns:
            A function that gives the same, and computes inner results again for the gradient where that is asked for.
        """
        return layer_call if self._remat is None else self._remat.wrapped(self, layer_call)

    # --- the call ------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_own_trainable" not in self.__dict__:
            raise ValueStateError(
                "super().__init__() to be called at the start of __init__", "a layer without it", type(self).__name__
            )
        if self._hooked:
            return self._call_with_hooks(args, kwargs)
        return self._apply_layer(*args, **kwargs)

    def _apply_layer(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs, symbolic = self._convert(args, kwargs)
        signature = self._call_signature
        inputs = args[0] if args else kwargs.get(signature.first)
        if self.input_spec is not None:
            check_inputs(self.input_spec, inputs, self._where)
        first_call = not self.built
        if first_call:
            self._build_from_call(args, kwargs)
        training = self._fill_training(args, kwargs, signature)
        if symbolic:
            return self._record(args, kwargs, first_call)
        masks = self._fill_masks(args, kwargs, signature) if scope._masks else None
        outputs = self._run(args, kwargs, training, first_call)
        if masks is not None or self.activity_regularizer is not None or self._makes_masks:
            self._finish(inputs, outputs, masks)
        return outputs

    def _convert(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], bool]:
        """Arrays become tensors of the backend, floats get the compute dtype; says whether some are symbolic."""
        wanted = self._native_compute_dtype if self.autocast else None
        plain = not kwargs or (len(kwargs) == 1 and "training" in kwargs)
        if len(args) == 1 and plain and backend.is_array(args[0]):
            value = args[0]
            if wanted is None or value.dtype == wanted or not dtypes.is_float(value.dtype):
                return args, kwargs, False
        symbolic = False

        def convert(value: Any) -> Any:
            nonlocal symbolic
            if isinstance(value, KerasTensor):
                symbolic = True
                return value
            if isinstance(value, Variable):
                value = value.value
            elif not backend.is_array(value):
                if not hasattr(value, "__array__") or isinstance(value, np.generic) or not is_numeric(value):
                    return value
                value = backend.asarray(value)
            if wanted is not None and value.dtype != wanted and dtypes.is_float(value.dtype):
                value = backend.cast(value, self.compute_dtype)
            return value

        return tree.map_structure(convert, args), tree.map_structure(convert, kwargs) if kwargs else kwargs, symbolic

    def _fill_training(self, args: tuple, kwargs: dict[str, Any], signature: CallSignature) -> bool | None:
        """`training` as given, else as in the enclosing call, else as the signature has it."""
        position = signature.training_position
        if 0 <= position < len(args):
            training = args[position]
        else:
            training = kwargs.get("training")
            default = self._default_training if context.training is None else context.training
            if training is None and default is not None:
                training = default
                if signature.states_training:
                    kwargs["training"] = training
            elif training is not None and not signature.has_training:
                # the enclosed layers may want it although this `call` does not
                kwargs.pop("training")
            elif training is None and "training" in kwargs and not signature.states_training:
                kwargs.pop("training")
        return training

    def _fill_masks(self, args: tuple, kwargs: dict[str, Any], signature: CallSignature) -> Any:
        """The masks of the first input; mask parameters of `call` that were not given are filled in."""
        first: Any = None
        given = dict(zip(signature.names, args, strict=False))
        for name in signature.tensor_names:
            value = given.get(name, kwargs.get(name))
            if value is None:
                continue
            masks = tree.map_structure(scope.get_mask, value)
            if all(one is None for one in tree.flatten(masks)):
                masks = None
            if name == signature.first:
                first = masks
            parameter = signature.masks.get(name)
            if masks is not None and parameter and given.get(parameter) is None and kwargs.get(parameter) is None:
                if parameter not in given:
                    kwargs[parameter] = masks
        return first

    def _run(self, args: tuple, kwargs: dict[str, Any], training: bool | None, first_call: bool) -> Any:
        """`call`, inside the context that its own layers and variables need."""
        around = context
        depth, training_before, path_before = around.depth, around.training, around.path
        if depth == 0:
            self._clear_losses()
        around.training, around.depth = training, depth + 1
        if first_call:
            around.path = (*path_before, self.name)
        try:
            compute = self.compute_dtype if self.compute_dtype != self.variable_dtype and self.autocast else None
            call = self.call if self._remat is None else self.rematerialized_call(self.call, *args, **kwargs)
            if compute == around.autocast:
                outputs = call(*args, **kwargs)
            else:
                with scope.autocast(compute):
                    outputs = call(*args, **kwargs)
        except Exception as problem:
            note(problem, self, args, kwargs)
            raise
        finally:
            around.depth, around.training, around.path = depth, training_before, path_before
        if outputs is None and not self._may_return_nothing:
            raise ArgumentError(
                "`call` to return a tensor or a structure of tensors", "None", self._where(), "Is a `return` missing?"
            )
        return outputs

    _may_return_nothing = False

    def _finish(self, inputs: Any, outputs: Any, masks: Any) -> None:
        """Activity losses and the masks of the outputs."""
        if self.activity_regularizer is not None:
            for one in tree.flatten(outputs):
                if backend.is_array(one):
                    # for each sample, so that the size of the batch makes no difference
                    samples = max(backend.shape(one)[0], 1) if backend.shape(one) else 1
                    self.add_loss(self.activity_regularizer(one) / samples)
        if masks is None and not self._makes_masks:
            return
        if not self.supports_masking and not self._makes_masks:
            if not self._warned_of_mask:
                self._warned_of_mask = True
                warn(
                    f"{self._where()}: the input has a mask, which this layer does not support and so loses. "
                    "Set `self.supports_masking = True` to pass masks on.",
                )
            return
        made = self.compute_mask(inputs, masks)
        flat_masks = tree.flatten(made)
        flat_outputs = tree.flatten(outputs)
        for tensor, mask in zip(flat_outputs, flat_masks, strict=False):
            # a tensor that only passed through keeps the mask that others may still read
            if mask is not None and backend.is_array(tensor) and scope.get_mask(tensor) is None:
                scope.set_mask(tensor, mask)

    @property
    def _makes_masks(self) -> bool:
        return type(self).compute_mask is not Layer.compute_mask

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; written by subclasses. May take `training` and `mask`."""
        raise UnsupportedError("a layer with a `call` method", "none", self._where())

    def _is_built_by_its_call(self) -> bool:
        """Whether the layer leaves building to the layers that its `call` calls."""
        return type(self).build is Layer.build and type(self).call is not Layer.call

    def _where(self) -> str:
        return f"{type(self).__name__} {self.path!r}"

    # --- symbolic calls ------------------------------------------------------------------------------------

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records one application on symbolic tensors."""
        return self._record(args, kwargs, False)

    def _record(self, args: tuple, kwargs: dict[str, Any], first_call: bool) -> Any:
        before = context.path
        if first_call:
            context.path = (*before, self.name)
        context.depth += 1
        try:
            outputs = self.compute_output_spec(*args, **kwargs)
        except Exception as problem:
            note(problem, self, args, kwargs)
            raise
        finally:
            context.depth -= 1
            context.path = before
        if outputs is None:
            raise ArgumentError(
                "`call` to return a tensor or a structure of tensors", "None", self._where(), "Is a `return` missing?"
            )
        own = {id(leaf) for leaf in tree.flatten((args, kwargs))}
        # a layer that hands its input through still makes a tensor of its own, with its own history
        outputs = tree.map_structure(
            lambda one: (
                KerasTensor(one.shape, one.dtype, one.sparse, one.ragged)
                if isinstance(one, KerasTensor) and id(one) in own
                else one
            ),
            outputs,
        )
        return record(self, args, kwargs, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for these arguments: by `compute_output_shape` if written, else by evaluation."""
        if not getattr(type(self).compute_output_shape, "by_evaluation", False):
            shapes = self._shapes_of(args, kwargs)
            names = shape_parameters(type(self))
            if len(names) == 1 or not set(names) <= set(shapes):
                shape = self.compute_output_shape(next(iter(shapes.values())))
            else:
                shape = self.compute_output_shape(**{name: shapes[name] for name in names})
            dtype = self._output_dtype(args, kwargs)
            return tree.map_shape_structure(lambda one: KerasTensor(one, dtype), shape)

        def as_seen(one: Any) -> Any:
            if isinstance(one, KerasTensor) and one.dtype != self._seen_dtype(one):
                return KerasTensor(one.shape, self.compute_dtype)
            return one

        args, kwargs = tree.map_structure(as_seen, args), tree.map_structure(as_seen, kwargs)
        training = kwargs.get("training")
        return infer(lambda *a, **k: self._run(a, k, training, False), args, kwargs)

    # Whether integers that come in go out as integers, as through layers that only move elements about
    _keeps_dtype = False

    def _seen_dtype(self, tensor: Any) -> str:
        """The dtype in which `call` sees a tensor."""
        return self.compute_dtype if self.autocast and dtypes.is_float(tensor.dtype) else tensor.dtype

    def _output_dtype(self, args: tuple, kwargs: dict[str, Any]) -> str:
        """The dtype of the outputs where only their shape is given by a rule."""
        if not self._keeps_dtype:
            return self.compute_dtype
        return dtypes.promote(*[self._seen_dtype(one) for one in tree.flatten(args[0] if args else kwargs)])

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the outputs for the shapes of the inputs.

        Args:
            *args: Shapes in the structure of the inputs, such as ``(None, 3)``.
            **kwargs: Shapes by the names of the arguments, such as ``query_shape=``.

        Returns:
            A tuple with None where open, or a structure of them.
        """
        inputs = tree.map_shape_structure(lambda one: KerasTensor(one, self.input_dtype), args)
        named = tree.map_shape_structure(lambda one: KerasTensor(one, self.input_dtype), kwargs)
        named = {name.removesuffix("_shape"): value for name, value in named.items()}
        if not self.built:
            self._build_from_call(inputs, named)
        return tree.map_structure(lambda one: one.shape, self.compute_output_spec(*inputs, **named))

    # no rule of its own: `compute_output_spec` must not ask it in turn
    compute_output_shape.by_evaluation = True  # type: ignore[attr-defined]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs, given the inputs and their mask; by default the mask passes through."""
        return previous_mask

    # --- pure calls ----------------------------------------------------------------------------------------

    def stateless_call(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple:
        """The layer as a pure function of the values of its variables.

        Args:
            trainable_variables: A value for each of `trainable_variables`.
            non_trainable_variables: A value for each of `non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether the losses are returned too.
            **kwargs: Keyword arguments of the call.

        Returns:
            `(outputs, non_trainable_values)`, and the losses if asked for.
        """
        if not self.built:
            raise ValueStateError(
                "a built layer", "an unbuilt one", f"stateless_call of {self._where()}", "Call it on data first."
            )
        trainable, frozen = self.trainable_variables, self.non_trainable_variables
        for mine, values, what in (
            (trainable, trainable_variables, "trainable"),
            (frozen, non_trainable_variables, "non-trainable"),
        ):
            if len(mine) != len(values):
                raise ArgumentError(
                    f"{len(mine)} {what} values", f"{len(values)}", f"stateless_call of {self._where()}"
                )
        pairs = [*zip(trainable, trainable_variables, strict=True), *zip(frozen, non_trainable_variables, strict=True)]
        with Trace([(variable, _value_of(value)) for variable, value in pairs]) as trace:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else []
            new_values = [trace.get(variable) for variable in frozen]
        return (outputs, new_values, losses) if return_losses else (outputs, new_values)

    # --- dtypes and names ----------------------------------------------------------------------------------

    @property
    def dtype_policy(self) -> Any:
        """The dtypes of variables and of computation."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)
        # read in every call
        self.compute_dtype: str = self._dtype_policy.compute_dtype
        self.variable_dtype: str = self._dtype_policy.variable_dtype
        self._native_compute_dtype = backend.native_dtype(self.compute_dtype)

    @property
    def dtype(self) -> str:
        """The dtype of the variables."""
        return self.variable_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that float inputs are cast to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The quantization mode of the dtype policy, or None."""
        return self.dtype_policy.quantization_mode

    @property
    def path(self) -> str:
        """The names of the layers around this one and its own, joined by "/"."""
        return self._path or "/".join((*context.path, self.name) if context.path[-1:] != (self.name,) else context.path)

    # --- saving --------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, derived from those it was made with.

        An argument that the layer keeps as an attribute of the same name is taken from there, so that it is in
        its settled form. Subclasses override it only where a file needs another form.
        """
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        config["dtype"] = serialize_value(self.dtype_policy)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize_value(self.activity_regularizer)
        for name, value in self._given_arguments(_WRITTEN_APART, unless_named=SHAPE_HINTS).items():
            # a property such as `weights` is something else than the argument of that name
            settled = value if isinstance(getattr(Layer, name, None), property) else getattr(self, name, value)
            config[name] = serialize_value(settled)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` gave; nested objects are made from their own configs first."""
        from_wire = {key: deserialize_value(value) for key, value in config.items()}
        try:
            return cls(**from_wire)
        except TypeError as problem:
            raise ArgumentTypeError(
                f"a config that {cls.__name__} can be made from",
                f"{sorted(config)} ({problem})",
                f"{cls.__name__}.from_config",
                "Override get_config to return exactly the arguments of __init__.",
            ) from problem

    def _check_super_called(self) -> None:
        if "_own_trainable" not in self.__dict__:
            raise ValueStateError(
                "super().__init__() to be called at the start of __init__", "a layer without it", type(self).__name__
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "path":
            raise UnknownAttributeError("an attribute that can be set", "path", type(self).__name__)
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.__dict__.get('name')}, built={self.__dict__.get('built')}>"


Layer._call_signature = CallSignature(Layer.call)


# --- helpers of the class ------------------------------------------------------------------------------------------


def _value_of(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.value
    return value if backend.is_array(value) else backend.asarray(value)
