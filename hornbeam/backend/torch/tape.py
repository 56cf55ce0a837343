"""Gradients for `GradientTape` on torch, whose tensors remember by themselves how they came about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch

from hornbeam.backend.base import Recorder
from hornbeam.backend.torch import autograd


class TorchRecorder(Recorder):
    """What torch does anyway, with gradients switched on and kept for gradients of gradients."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._recording = self._inside = False

    def start(self) -> None:
        self._stack.enter_context(torch.enable_grad())
        autograd._depth.value += 1
        self._recording = self._inside = True

    def stop(self) -> None:
        autograd._depth.value -= 1
        self._recording = self._inside = False
        self._stack.close()

    def pause(self, paused: bool) -> None:
        torch.set_grad_enabled(not paused or autograd._depth.value > 1)
        self._recording = not paused

    def watch(self, value: Any) -> None:
        if not value.requires_grad:
            value.requires_grad_()

    def unshared(self, value: Any) -> Any:
        return value.clone()

    def is_shared(self, value: Any) -> bool:
        return isinstance(value, torch.nn.Parameter)

    def version(self, value: Any) -> int:
        return value._version

    def is_connected(self, value: Any) -> bool:
        return value.requires_grad

    def pullback(
        self, targets: Sequence[Any], sources: Sequence[Any]
    ) -> tuple[list[bool] | None, Callable[[Sequence[Any]], list[Any]]]:
        outputs = [(place, one) for place, one in enumerate(targets) if one.requires_grad]
        # the tape itself counts as one gradient that is being taken
        around = autograd._depth.value - (1 if self._inside else 0)
        again = around > 0 or self._recording

        def pull(upstream: Sequence[Any]) -> list[Any]:
            if not outputs:
                return [None] * len(sources)
            with torch.enable_grad():
                given = [upstream[place] for place, _ in outputs]
                return list(
                    torch.autograd.grad(
                        [one for _, one in outputs], list(sources), given,
                        retain_graph=True, create_graph=again, allow_unused=True,
                    )
                )  # fmt: skip

        return None, pull
