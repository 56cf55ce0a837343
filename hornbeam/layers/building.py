"""`Building`: how a layer gets its variables, once it knows the shapes of its inputs; by its `build`, by following its
`call`, or from the shapes in a file.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from hornbeam import scope, tree
from hornbeam.errors import ValueStateError, describe, warn
from hornbeam.layers.signature import CallSignature, as_shapes, build_parameters, shape_structure
from hornbeam.layers.state import LayerState
from hornbeam.scope import context
from hornbeam.symbolic import KerasTensor, infer


class Building(LayerState):
    """The part of a layer that builds it; mixed into `Layer`."""

    _build_shapes: Any
    _call_signature: CallSignature
    _is_built_by_its_call: Callable[[], bool]  # of `Layer`, as is all that calls the layer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _guarded(cls.__dict__["build"])  # type: ignore[method-assign]

    def build(self, input_shape: Any) -> None:
        """Makes the variables for inputs of this shape; written by subclasses that need the shape."""
        self._check_super_called()
        if self._is_built_by_its_call() and self._sublayers():
            self._build_by_tracing((input_shape,), {})
            self.__dict__["_build_shapes"] = (("input_shape",), (input_shape,))
        self.built = True

    def _build_by_tracing(self, shapes: tuple, named: dict[str, Any]) -> None:
        """Makes the variables of the layers inside by following `call` on tensors that do not exist."""

        def tensors(shape: Any) -> Any:
            return tree.map_shape_structure(lambda one: KerasTensor(one, self.input_dtype), shape)

        self.built = True  # the layers inside build themselves; this one has nothing to add
        try:
            with scope.name_scope(self.name):
                infer(
                    lambda *values, **more: self._run(values, more, None, False),
                    tuple(map(tensors, shapes)),
                    {name: tensors(shape) for name, shape in named.items()},
                )
        except Exception:
            self.built = False
            raise

    def _build_from_call(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """`build` with the shapes of the arguments of the first call."""
        shapes = self._shapes_of(args, kwargs)
        if type(self).build is Building.build:
            self.built = True
            if self._build_shapes is None and shapes:
                # files say with which shapes to follow `call` again: that of the first argument, as Keras writes
                # it, unless the layer cannot be called with it alone
                needed = [name for name in shapes if name.removesuffix("_shape") in self._call_signature.required]
                kept = needed if len(needed) > 1 else [next(iter(shapes))]
                names = tuple(kept) if len(kept) > 1 else ("input_shape",)
                self.__dict__["_build_shapes"] = (names, tuple(shapes[name] for name in kept))
            return
        names = build_parameters(type(self))
        if len(names) > 1 or (names and names[0] != "input_shape" and names[0] in shapes):
            wanted = {name: shapes.get(name) for name in names if name in shapes}
            self.build(**wanted)
        else:
            self.build(next(iter(shapes.values()), None))

    def _shapes_of(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The shapes of the tensor arguments, as `build` and `compute_output_shape` name them."""
        signature = self._call_signature
        given = dict(zip(signature.names, args, strict=False)) if signature.names else dict(enumerate(args))
        given.update(kwargs)
        shapes = {}
        for name, value in given.items():
            if name == "training" or name in signature.masks.values():
                continue
            shape = shape_structure(value)
            if shape is not None:
                shapes[f"{name}_shape"] = shape
        return shapes

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes with which the layer was built, so that it can be built before its weights are loaded."""
        if self._build_shapes is None or (self._is_built_by_its_call() and not self._sublayers()):
            return None
        names, values = self._build_shapes
        if names == ("input_shape",):
            return {"input_shape": values[0]}
        return (
            dict(zip(names, values, strict=True))
            if len(names) == 1
            else {"shapes_dict": dict(zip(names, values, strict=True))}
        )

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Builds the layer from what `get_build_config` gave."""
        if not config:
            return
        if self._is_built_by_its_call():
            if not self._sublayers():
                self.built = True
            elif not self.built:
                self._build_as_called(config)
        elif "shapes_dict" in config:
            self.build(**{name: as_shapes(shape) for name, shape in config["shapes_dict"].items()})
        elif "input_shape" in config:
            self.build(as_shapes(config["input_shape"]))
        else:
            self.build(**{name: as_shapes(shape) for name, shape in config.items()})

    def _build_as_called(self, config: dict[str, Any]) -> None:
        """Builds the layers inside as the first call did, by the shapes that it had."""
        given = config.get("shapes_dict", config)
        shapes = {name.removesuffix("_shape"): as_shapes(one) for name, one in given.items()}
        first = (shapes.pop("input"),) if "input_shape" in config else ()
        try:
            self._build_by_tracing(first, shapes)
        except Exception as problem:  # noqa: BLE001 - of the user's `call`, which may raise anything
            warn(
                f"{self._where()}: its layers are not built, since `call` cannot be followed on shapes alone: "
                f"{type(problem).__name__}: {problem} Give the class a `build` of its own."
            )


def _guarded(function: Callable) -> Callable:
    """`build` so that it names its variables by the layer, remembers the shapes, and leaves nothing if it fails."""
    if getattr(function, "_is_guarded", False):
        return function
    names = list(inspect.signature(function).parameters)[1:]

    @functools.wraps(function)
    def build(self: Building, *args: Any, **kwargs: Any) -> None:
        if "_own_trainable" not in self.__dict__:
            self._check_super_called()
        if self.__dict__.get("_is_building"):
            function(self, *args, **kwargs)  # super().build(...)
            return
        given = dict(zip(names, args, strict=False)) | kwargs
        shapes = (tuple(given), tuple(given.values()))
        if self.built and self._build_shapes is not None and (self._own_trainable or self._own_frozen):
            if shapes == self._build_shapes or not self._build_shapes[0]:  # built without a shape: any will do
                return
            first = dict(zip(*self._build_shapes, strict=True))
            raise ValueStateError(
                "one `build` of a layer", f"a second one for {given} after {first}", self._where(),
                "Its variables are made already: make another layer for other shapes.",
            )
        attributes = {**self.__dict__, "_tracked": dict(self.__dict__["_tracked"])}
        kept = (attributes, [*self._own_trainable], [*self._own_frozen])
        self.__dict__["_is_building"] = True
        before = context.path
        if before[-1:] != (self.name,):
            context.path = (*before, self.name)
        self._path = "/".join(context.path)
        try:
            with scope.autocast(None):
                function(self, *args, **kwargs)
        except Exception as problem:
            self.__dict__.clear()
            self.__dict__.update(kept[0])
            self._own_trainable[:], self._own_frozen[:] = kept[1:]
            note(problem, self, args, kwargs, "build")
            raise
        finally:
            context.path = before
            self.__dict__.pop("_is_building", None)
        self.built = True
        self.__dict__["_build_shapes"] = shapes

    build._is_guarded = True  # type: ignore[attr-defined]
    return build


def note(problem: Exception, layer: Building, args: tuple, kwargs: dict[str, Any], what: str = "call") -> None:
    """Says in the error in which layer, on which arguments, it arose; innermost first."""
    if len(getattr(problem, "__notes__", ())) < 3:
        shown = ", ".join(describe(one) for one in tree.flatten((args, kwargs)) if one is not None)
        problem.add_note(f"In `{what}` of {layer._where()}, with {shown or 'no arguments'}.")
