"""Products of tensors, linear algebra and Fourier transforms with NumPy's names. A part of `xp`."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch.nn import functional

from hornbeam.backend.torch.native import lifted, tensor

matmul = lifted(torch.matmul)


@lifted
def einsum(subscripts: str, *xs: Any, **_: Any) -> torch.Tensor:
    if len(xs) == 2:
        plan = _as_product(subscripts.replace(" ", ""))
        if plan is not None:
            return torch.tensordot(xs[0], xs[1], dims=plan[0]).permute(plan[1])
    return torch.einsum(subscripts, *xs)


@functools.lru_cache(maxsize=512)
def _as_product(subscripts: str) -> Any:
    """The axes to multiply over and the order of those left, if all this is is one product of matrices.

    torch makes it a batch of one product, for which CPUs have slower kernels.
    """
    inputs, arrow, wanted = subscripts.partition("->")
    first, _, second = inputs.partition(",")
    if not arrow or not (first + second + wanted).isalpha() or len(set(wanted)) != len(wanted):
        return None
    if len(set(first)) != len(first) or len(set(second)) != len(second):
        return None
    summed = [one for one in first if one in second]
    left = [one for one in first + second if one not in summed]
    if not summed or sorted(left) != sorted(wanted):
        return None
    axes = ([first.index(one) for one in summed], [second.index(one) for one in summed])
    return axes, tuple(left.index(one) for one in wanted)


@lifted
def dot(x1: Any, x2: Any) -> torch.Tensor:
    x1, x2 = tensor(x1), tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return x1 * x2
    return torch.tensordot(x1, x2, dims=cast("Any", ([-1], [-2 if x2.ndim > 1 else 0])))


@lifted
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> torch.Tensor:
    if not isinstance(axes, int):
        axes = tuple([one] if isinstance(one, int) else list(one) for one in axes)  # both as lists
    return torch.tensordot(x1, x2, dims=axes)


@lifted
def inner(x1: Any, x2: Any) -> torch.Tensor:
    x1, x2 = tensor(x1), tensor(x2)
    return x1 * x2 if x1.ndim == 0 or x2.ndim == 0 else torch.tensordot(x1, x2, dims=cast("Any", ([-1], [-1])))


def outer(x1: Any, x2: Any) -> torch.Tensor:
    return lifted(torch.mul)(tensor(x1).reshape(-1)[:, None], tensor(x2).reshape(-1))


@lifted
def vdot(x1: Any, x2: Any) -> torch.Tensor:
    x1 = torch.conj(x1).resolve_conj() if x1.is_complex() else x1
    return torch.sum(x1.reshape(-1) * x2.reshape(-1), dtype=x1.dtype)


@lifted
def kron(x1: Any, x2: Any) -> torch.Tensor:
    return torch.kron(x1, x2)


@lifted
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = torch.moveaxis(x1, axisa, -1), torch.moveaxis(x2, axisb, -1)
    flat = x1.shape[-1] == 2 and x2.shape[-1] == 2
    # vectors in the plane are vectors in space whose last part is 0
    x1, x2 = (functional.pad(one, (0, 3 - one.shape[-1])) for one in (x1, x2))
    x1, x2 = torch.broadcast_tensors(x1, x2)
    result = torch.linalg.cross(x1, x2, dim=-1)
    return result[..., 2] if flat else torch.moveaxis(result, -1, axisc)


def _svd(x: torch.Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return tuple(torch.linalg.svd(x, full_matrices=full_matrices)) if compute_uv else torch.linalg.svdvals(x)


linalg = SimpleNamespace(
    cholesky=lifted(torch.linalg.cholesky),
    det=lifted(torch.linalg.det),
    eig=lifted(lambda x: tuple(torch.linalg.eig(x))),
    eigh=lifted(lambda x: tuple(torch.linalg.eigh(x))),
    inv=lifted(torch.linalg.inv),
    qr=lifted(lambda x, mode="reduced": tuple(torch.linalg.qr(x, mode))),
    slogdet=lifted(lambda x: tuple(torch.linalg.slogdet(x))),
    solve=lifted(torch.linalg.solve),
    svd=lifted(_svd),
)


def _rfft(x: Any, n: int | None = None) -> Any:
    if x.numel():
        return torch.fft.rfft(x, n=n)
    # MKL refuses to transform nothing
    return torch.zeros(*x.shape[:-1], (n or x.shape[-1]) // 2 + 1, dtype=torch.complex64, device=x.device)


fft = SimpleNamespace(
    fft=torch.fft.fft,
    ifft=torch.fft.ifft,
    fft2=torch.fft.fft2,
    ifft2=torch.fft.ifft2,
    rfft=_rfft,
    irfft=lambda x, n=None: torch.fft.irfft(x, n=n),
)
