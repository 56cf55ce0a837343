"""The torch backend: eager PyTorch on CPU, CUDA and MPS; whole programs compile when asked to.

A variable's handle is an `nn.Parameter`, and reading the variable gives that parameter, so that `loss.backward()`
fills its `.grad`. Layers are `nn.Module`s (see `module.py`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ml_dtypes
import numpy as np
import torch
from torch import nn as torch_nn
from torch.nn import functional

from hornbeam import tree
from hornbeam.backend.base import Backend, Recorder, is_numeric
from hornbeam.backend.torch import autograd, bits, module, nn, place, program, updates, xp
from hornbeam.backend.torch.bundle import Bundle
from hornbeam.backend.torch.native import dtype_of, lifted, name_of
from hornbeam.backend.torch.tape import TorchRecorder
from hornbeam.dtypes import standardize_dtype
from hornbeam.errors import ArgumentTypeError, describe

# NumPy's extended dtypes, which torch does not take from arrays: the integers that have their bits, and torch's dtype
_EXTENDED = {
    np.dtype(getattr(ml_dtypes, name)): (bits, getattr(torch, name))
    for name, bits in (("bfloat16", np.int16), ("float8_e4m3fn", np.uint8), ("float8_e5m2", np.uint8))
}
_EXTENDED_OF = {native: (getattr(torch, np.dtype(bits).name), own) for own, (bits, native) in _EXTENDED.items()}


class TorchBackend(Backend):
    """`torch.Tensor`s as tensors; a variable's handle is an `nn.Parameter`."""

    name = "torch"
    xp = xp
    features = frozenset({"gradients", "compile", "live"})
    layer_base = module.TorchLayer
    overrides = nn.OVERRIDES
    bundle = Bundle
    kernels = updates.KERNELS
    native_types = (torch_nn.Module, torch_nn.Parameter)
    # rich in divisors, and small enough for layers that loop over time in Python
    probe_sizes = (48, 96)
    eager_rows = True
    module_wrapper = "TorchModuleWrapper"
    weak_numbers = True
    reproducible_random = False  # on a CPU, step by step, it takes an eighth of a transformer's step

    @property
    def narrowed(self) -> dict[str, str]:
        return {"float64": "float32", "complex128": "complex64"} if place.here().type == "mps" else {}

    # --- tensors -------------------------------------------------------------------------------------------

    def is_array(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if isinstance(value, torch.Tensor):
            return value if dtype is None else value.to(self.native_dtype(dtype))
        if isinstance(value, (np.ndarray, np.generic)):
            return _from_numpy(np.array(value), None if dtype is None else self.native_dtype(dtype))
        if dtype is None and isinstance(value, (int, float, bool, complex)):
            dtype = standardize_dtype(type(value))
        if dtype is not None and isinstance(value, (int, float, bool)):
            return torch.tensor(value, dtype=self.native_dtype(dtype), device=place.here())
        return self._from_structure(value, dtype)

    def _from_structure(self, value: Any, dtype: str | None) -> torch.Tensor:
        """A nested list, or anything that NumPy takes for an array."""
        if isinstance(value, (list, tuple)) and any(isinstance(one, torch.Tensor) for one in tree.flatten(value)):
            result = torch.stack([self.asarray(one) for one in value])
            return result if dtype is None else result.to(self.native_dtype(dtype))
        array = np.asarray(value)
        if array.dtype.kind in "OSUMm":
            raise ArgumentTypeError("numbers", describe(value), "a tensor of torch")
        if dtype is None and not hasattr(value, "dtype") and isinstance(value, (list, tuple)):
            # Python numbers take the default types, as on the other backends
            short = {np.dtype("float64"): standardize_dtype(float), np.dtype("int64"): "int32"}.get(array.dtype)
            array = array if short is None else array.astype(short)
        return _from_numpy(np.array(array), None if dtype is None else self.native_dtype(dtype))

    def filled(self, shape: tuple[int, ...], value: float, dtype: str) -> Any:
        return torch.full(shape, value, dtype=self.native_dtype(dtype), device=place.here())

    def to_numpy(self, value: Any) -> np.ndarray:
        if not isinstance(value, torch.Tensor):
            return np.asarray(value)
        value = value.detach()
        own = _EXTENDED_OF.get(value.dtype)
        if own is not None:
            return np.array(value.cpu().contiguous().view(own[0]).numpy().view(own[1]))
        if value.device.type != "cpu":
            return value.cpu().resolve_conj().resolve_neg().numpy()
        # on the CPU the array would share the memory of the tensor, which may be a variable's
        return np.array(value.resolve_conj().resolve_neg().numpy())

    def shape(self, value: Any) -> tuple[int, ...]:
        return tuple(value.shape)

    def dtype(self, value: Any) -> str:
        dtype = value.dtype
        return name_of(dtype) if isinstance(dtype, torch.dtype) else standardize_dtype(dtype)

    def cast(self, value: Any, dtype: str) -> Any:
        if isinstance(value, (torch.Tensor, Bundle)):
            return value.to(self.native_dtype(dtype))
        return self.asarray(value, dtype)

    def native_dtype(self, dtype: str) -> Any:
        return dtype_of(self.narrowed.get(dtype, dtype) if place.here().type == "mps" else dtype)

    def scalar(self, value: float, dtype: str) -> Any:
        return torch.tensor(value, dtype=self.native_dtype(dtype), device=place.here())

    def written(self, target: Any, index: tuple, updates: Any, reduction: str | None) -> Any:
        return nn.written(target, index, updates, reduction)

    # --- state ---------------------------------------------------------------------------------------------

    def new_variable(
        self, value: Any, dtype: str, trainable: bool, name: str, aggregation: str | None = "none",
        synchronization: str | None = "auto",
    ) -> Any:
        with self.constants(), torch.no_grad():
            made = self.asarray(value, dtype).detach()
            made = made.clone() if isinstance(value, torch.Tensor) else made
        return torch_nn.Parameter(made, requires_grad=trainable and _differentiable(made))

    def parts_of(self, value: Any) -> list[tuple[str, Any]] | None:
        return [("", value)] if isinstance(value, torch_nn.Parameter) else None

    def is_trainable(self, handle: Any) -> bool:
        return bool(handle.requires_grad)

    def set_trainable(self, handle: Any, trainable: bool) -> None:
        if _differentiable(handle):
            handle.requires_grad_(trainable)

    def write(self, handle: Any, value: Any) -> Any:
        if value is handle:
            return handle
        with torch.no_grad():
            if not torch.compiler.is_compiling() and _share_memory(value, handle):
                value = value.clone()  # a view of the variable itself must not change while it is copied
            handle.copy_(value)
        return handle

    def increase(self, handle: Any, value: Any) -> bool:
        same = isinstance(value, torch.Tensor) and value.dtype == handle.dtype and value.shape == handle.shape
        if not handle.is_floating_point():
            if handle.dtype in (torch.uint16, torch.uint32, torch.uint64, torch.bool):
                return False
            if not same and type(value) is not int:
                return False
        elif not same and type(value) is not float and type(value) is not int:
            return False
        if handle.requires_grad or (same and value.requires_grad):
            with torch.no_grad():
                handle.add_(value)
        else:  # as in metrics, in every step
            handle.add_(value)
        return True

    def write_all(self, handles: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        with torch.no_grad():
            torch._foreach_copy_(list(handles), list(values))  # pyright: ignore[reportPrivateImportUsage]
        return list(handles)

    def alike(self, values: Sequence[Any], handles: Sequence[Any]) -> bool:
        for one, own in zip(values, handles, strict=True):
            if type(one) is not torch.Tensor or one.dtype != own.dtype or one.shape != own.shape:
                return False
            if one.device != own.device:
                return False
        return True

    def parts(self, bundle: Any) -> Sequence[Any]:
        return bundle.parts

    def copy(self, value: Any) -> Any:
        return value.clone()

    def snapshot(self, value: Any) -> Any:
        return value.detach().clone()

    # --- evaluation ----------------------------------------------------------------------------------------

    def probe(self, function: Callable[..., Any], leaves: list[Any], description: Any) -> Any:
        return program.probe(function, leaves, description)

    def cond(self, predicate: Any, true_function: Callable[[], Any], false_function: Callable[[], Any]) -> Any:
        if not self.is_traced(predicate):
            return true_function() if bool(predicate) else false_function()
        # torch's own conditional refuses branches that read what lies outside: both are computed, one is taken
        return tree.map_structure(lambda yes, no: torch.where(predicate, yes, no), true_function(), false_function())

    def while_loop(self, condition: Callable, body: Callable, values: tuple, limit: int | None) -> tuple:
        count = 0
        while (limit is None or count < limit) and bool(condition(*values)):
            values = tuple(body(*values))
            count += 1
        return values

    def vectorized_map(self, function: Callable, elements: Any) -> Any:
        try:
            return torch.vmap(function, randomness="different")(elements)
        except (RuntimeError, ValueError):  # such as a condition on values: row by row then
            return super().vectorized_map(function, elements)

    def stop_gradient(self, value: Any) -> Any:
        return value.detach()

    def custom_gradient(self, function: Callable) -> Callable:
        return autograd.custom_gradient(function)

    def remat(self, function: Callable) -> Callable:
        return autograd.remat(function)

    def value_and_grad(
        self, function: Callable, arguments: Sequence[Any], handles: Sequence[Any] = ()
    ) -> tuple[Any, Any, list[Any]]:
        return autograd.value_and_grad(function, arguments)

    def no_gradients(self) -> AbstractContextManager:
        return autograd.no_gradients()

    def recorder(self, persistent: bool) -> Recorder:
        return TorchRecorder()

    def compile(self, function: Callable, donate: Sequence[int] = (), optimize: bool | None = None) -> Callable:
        return program.compile(function)

    def put(self, batch: Any) -> Any:
        return tree.map_structure(_put, batch)

    def linear(self, inputs: Any, kernel: Any, bias: Any) -> Any:
        if bias is not None and inputs.ndim == 2:
            return _addmm(bias, inputs, kernel)
        return _linear(inputs, kernel.t(), bias)

    def add_bias(self, outputs: Any, bias: Any) -> Any:
        return outputs + bias

    def normalized(self, x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float) -> Any:
        if sorted(axes) != list(range(x.ndim - len(axes), x.ndim)):
            return None
        sizes = x.shape[x.ndim - len(axes) :]
        if any(one is not None and (one.shape != sizes or one.dtype != x.dtype) for one in (gamma, beta)):
            return None
        return functional.layer_norm(x, sizes, gamma, beta, epsilon)

    def slice_rows(self, value: Any, start: Any, count: int) -> Any:
        return value[int(start) : int(start) + count]

    def take_rows(self, value: Any, rows: Any) -> Any:
        return nn.rows(value, rows)

    def constants(self) -> AbstractContextManager:
        return program.real_values()

    def is_traced(self, value: Any) -> bool:
        return program.is_traced(value)

    # --- modules of torch in our layers ----------------------------------------------------------------------

    def call_module(self, module: Any, values: dict[str, Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        """What a module gives, with these values for its parameters."""
        if all(values[path] is own for path, own in module.named_parameters()):
            return module(*args, **kwargs)
        return torch.func.functional_call(module, values, args, kwargs)

    def module_bytes(self, module: Any) -> bytes:
        """A module, pickled by torch."""
        buffer = io.BytesIO()
        torch.save(module, buffer)
        return buffer.getvalue()

    def module_from_bytes(self, raw: bytes) -> Any:
        """A module from what `module_bytes` gave; this runs code that came along."""
        return torch.load(io.BytesIO(raw), weights_only=False, map_location=place.here())

    # --- randomness ----------------------------------------------------------------------------------------

    def next_key(self, key: Any) -> Any:
        return bits.next_key(key)

    def random_bits(self, key: Any, shape: Sequence[int]) -> Any:
        return bits.random_bits(key, tuple(shape))

    def random_mask(self, key: Any, shape: Sequence[int], threshold: int) -> Any:
        return bits.random_mask(key, tuple(shape), threshold)

    def fast_bits(self, key: Any, shape: Sequence[int]) -> Any:
        return bits.fast_bits(key, tuple(shape))

    def fast_mask(self, key: Any, shape: Sequence[int], threshold: int) -> Any:
        return bits.fast_mask(key, tuple(shape), threshold)

    # --- placement -----------------------------------------------------------------------------------------

    def place(self) -> Any:
        return place.here()

    def beside(self, value: Any) -> AbstractContextManager:
        return nullcontext() if value.device == place.here() else place.on(value.device)

    def brought(self, value: Any) -> Any:
        return value.to(place.here())

    def device(self, name: str) -> AbstractContextManager:
        return place.on(place.native(name))

    def devices(self, kind: str | None = None) -> list[str]:
        return place.names(kind)

    def wait(self, value: Any) -> None:
        for one in tree.flatten(value):
            if isinstance(one, torch.Tensor) and one.device.type == "cuda":
                torch.cuda.current_stream(one.device).synchronize()
                return


_addmm, _linear = lifted(torch.addmm), lifted(functional.linear)


def _share_memory(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.untyped_storage()._cdata == b.untyped_storage()._cdata


def _differentiable(value: torch.Tensor) -> bool:
    return value.is_floating_point() or value.is_complex()


def _from_numpy(array: np.ndarray, dtype: torch.dtype | None) -> torch.Tensor:
    """An array of the host that nobody else writes to, as a tensor on the default device."""
    own = _EXTENDED.get(array.dtype)
    if own is not None:
        tensor = torch.from_numpy(array.view(own[0])).view(own[1])
    else:
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if array.dtype.kind in "OSUMmV":
            raise ArgumentTypeError("numbers", f"an array of dtype {array.dtype}", "a tensor of torch")
        tensor = torch.from_numpy(array)
    return tensor.to(place.here(), dtype)


# Whole data sets go to the device once, and pinning them would take longer than the copy.
_PINNED = 64 << 20


def _put(value: Any) -> Any:
    if value is None or isinstance(value, torch.Tensor):
        return value if value is None else value.to(place.here(), non_blocking=True)
    if not is_numeric(value):
        return value
    array = np.asarray(value)
    if array.dtype in _EXTENDED or not array.dtype.isnative:
        return _from_numpy(np.array(array), None)
    if not array.flags.writeable or any(one < 0 for one in array.strides):  # torch takes neither
        array = np.array(array)
    tensor = torch.from_numpy(array)
    device = place.here()
    if device.type == "cuda" and array.nbytes <= _PINNED:  # from pinned memory the copy runs beside the computation
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


backend = TorchBackend()
