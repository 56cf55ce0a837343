"""`TorchLayer`: what makes a layer an `nn.Module`, for everything of torch that takes one.

A layer keeps its things in its own attributes. What torch looks into, `_parameters` and `_modules`, is filled in from
there whenever torch is about to look, so that lists which have grown since are seen as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from hornbeam import tree
from hornbeam.backend.torch.native import name_of


class Group(nn.Module):
    """What a list or dict of a layer holds, for torch to look into."""


class TorchLayer(nn.Module):
    """The base of layers on torch."""

    _default_training: bool | None = None

    # --- attributes: everything stays where Python puts it -----------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)

    def _fill(self) -> None:
        """Brings what torch looks into up to date."""
        named: dict[str, Any] = {}
        modules: dict[str, Any] = {}
        for name, value in self._children():  # type: ignore[attr-defined]
            if name.startswith("_") and isinstance(value, list):  # a model's list of layers: by their names
                for key, one in self._keyed(value):  # type: ignore[attr-defined]
                    modules[_free(key, modules)] = one
            else:
                _put(named, modules, name, value)
        inside = self.__dict__.get("module")
        if isinstance(inside, nn.Module):  # a layer around a module of torch keeps it there
            modules["module"] = inside
        held = {id(one) for module in modules.values() if _is_group(module) for one in module.parameters()}
        names = {id(handle): name for name, handle in named.items()}
        parameters: dict[str, Any] = {}
        for variable in self._own_variables():  # type: ignore[attr-defined]
            handle = variable._handle
            if id(handle) not in held:
                parameters[names.get(id(handle)) or _free(variable.name, {**named, **parameters})] = handle
        self.__dict__["_parameters"] = parameters
        self.__dict__["_modules"] = modules

    # --- torch looks --------------------------------------------------------------------------------------------

    def named_modules(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Module]]:
        """The layer and all modules inside, with their names."""
        self._fill()
        return super().named_modules(*args, **kwargs)

    def named_children(self) -> Iterator[tuple[str, nn.Module]]:
        """The modules directly inside, with their names."""
        self._fill()
        return super().named_children()

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The weights by name, as torch saves them."""
        self._fill()
        return super().state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Sets the weights from what `state_dict` gave."""
        self._fill()
        return super().load_state_dict(state_dict, *args, **kwargs)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._fill()
        super()._load_from_state_dict(*args, **kwargs)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._fill()
        super()._apply(fn, recurse)
        changed = False
        by_handle = {id(variable._handle): variable for variable in self._own_variables()}  # type: ignore[attr-defined]
        for variable in by_handle.values():
            dtype = name_of(variable._handle.dtype)
            changed = changed or dtype != variable._dtype
            variable._dtype = dtype
        for generator in self._found("seed"):  # type: ignore[attr-defined]
            handle = generator.state._handle
            handle.data = fn(handle.data)
        if changed:
            floats = {variable._dtype for variable in by_handle.values() if "float" in variable._dtype}
            if len(floats) == 1:
                self.dtype_policy = floats.pop()
        return self

    def train(self, mode: bool = True) -> Any:
        """Makes `training=mode` the default of calls that state none, here and in the layers inside."""
        self._fill()
        self._default_training = bool(mode)
        return super().train(mode)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Sets `trainable`."""
        self.trainable = requires_grad
        return self

    def __getstate__(self) -> dict[str, Any]:
        # for pickle and copy: what torch looks into is filled in anew, from variables that are made anew
        return {**self.__dict__, "_parameters": {}, "_modules": {}}

    # --- calls --------------------------------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's call without hooks; a Keras layer writes `call`."""
        return self._apply_layer(*args, **kwargs)  # type: ignore[attr-defined]

    @property
    def _hooked(self) -> bool:
        own = self.__dict__
        return bool(
            own.get("_forward_hooks")
            or own.get("_forward_pre_hooks")
            or own.get("_backward_hooks")
            or own.get("_backward_pre_hooks")
            or own.get("_compiled_call_impl")
            or torch.nn.modules.module._has_any_global_hook()
        )

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        if not any(isinstance(one, torch.Tensor) for one in tree.flatten((args, kwargs))):  # symbolic ones, or arrays
            args, kwargs, symbolic = self._convert(args, kwargs)  # type: ignore[attr-defined]
            if symbolic:
                return self._apply_layer(*args, **kwargs)  # type: ignore[attr-defined]
        return nn.Module.__call__(self, *args, **kwargs)


def _put(parameters: dict[str, Any], modules: dict[str, Any], name: str, value: Any) -> None:
    """One thing that a layer owns, in the place where torch looks for its kind."""
    if isinstance(value, nn.Module):
        modules[name] = value
    elif isinstance(getattr(value, "_handle", None), nn.Parameter):
        parameters[name] = value._handle
    elif isinstance(value, (list, tuple, dict, set)):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        group = Group()
        for key, one in entries:
            _put(group._parameters, group._modules, str(key).replace(".", "_"), one)
        if group._parameters or group._modules:
            modules[name] = group


def _is_group(module: nn.Module) -> bool:
    """Whether a module is no layer of ours, so that its parameters may also be a layer's own."""
    return not isinstance(module, TorchLayer)


def _free(name: str, taken: dict[str, Any]) -> str:
    name = name.replace(".", "_")
    free, count = name, 0
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    return free
