"""Low-rank adaptation of one matrix of a layer: the matrix stands still, a product of two thin ones is trained.

A kernel of more axes counts as a matrix of its last axis by all others.
"""

from __future__ import annotations

from typing import Any

from hornbeam import initializers, ops
from hornbeam.errors import ArgumentError, ValueStateError
from hornbeam.layers.core.checks import positive_integer, where
from hornbeam.layers.layer import Layer
from hornbeam.variable import Variable


class LowRankAdapted(Layer):
    """A layer whose matrix `W` may become `W + alpha / rank * A @ B`, of which only `A` and `B` are trained.

    E. J. Hu et al., "LoRA: low-rank adaptation of large language models", 2021.

    A subclass makes its matrix with `_add_adaptable` and reads the product with `_adapted`. Files hold the sum, so
    that they load into layers with and without adaptation.
    """

    # the name of the matrix
    adapted_name: str

    def _init_lora(self, rank: int | None, alpha: float | None) -> None:
        self.lora_rank = None if rank is None else positive_integer(rank, "lora_rank", self)
        if alpha is not None and (isinstance(alpha, bool) or not isinstance(alpha, (int, float))):
            raise ArgumentError("a number for lora_alpha", repr(alpha), where(self))
        self.lora_alpha = self.lora_rank if alpha is None else alpha
        self.lora_enabled = False
        self._untracked_matrix: Variable | None = None
        if rank is not None:
            self._check_unconstrained()

    def _check_unconstrained(self) -> None:
        name = f"{self.adapted_name}_constraint"
        if getattr(self, name) is not None:
            raise ArgumentError(
                f"no {name} together with low-rank adaptation",
                repr(getattr(self, name)),
                where(self),
                "A constraint would have to hold for the sum, which is not a variable.",
            )

    def _add_adaptable(self, *args: Any, **kwargs: Any) -> Variable:
        """The matrix, made like any weight."""
        self._untracked_matrix = self.add_weight(*args, **kwargs, name=self.adapted_name)
        return self._untracked_matrix

    def enable_lora(
        self,
        rank: int,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
        lora_alpha: float | None = None,
    ) -> None:
        """Freezes the matrix of the built layer and adds the two thin ones, trained in its place.

        Args:
            rank: How many columns `A` has and rows `B`.
            a_initializer: Initializer of `A`.
            b_initializer: Initializer of `B`; with zeros the layer at first gives what it gave before.
            lora_alpha: The product counts `lora_alpha / rank` times; `rank` if None.

        Raises:
            ValueError: If the layer is not built, has a constraint on the matrix, or is adapted already.
        """
        self._check_unconstrained()
        matrix = self._untracked_matrix
        if matrix is None:
            raise ValueStateError(
                "a built layer",
                "an unbuilt one",
                f"enable_lora of {where(self)}",
                "Call it on data first, or pass lora_rank when it is made.",
            )
        if self.lora_enabled:
            raise ValueStateError(
                "a layer without low-rank adaptation", "one that has it", f"enable_lora of {where(self)}"
            )
        rank = positive_integer(rank, "rank", self)
        name = self.adapted_name
        a_initializer, b_initializer = initializers.get(a_initializer), initializers.get(b_initializer)
        first = self.add_weight((*matrix.shape[:-1], rank), a_initializer, name=f"lora_{name}_a")
        second = self.add_weight((rank, matrix.shape[-1]), b_initializer, name=f"lora_{name}_b")
        setattr(self, f"lora_{name}_a", first)
        setattr(self, f"lora_{name}_b", second)
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha
        self._untracked_adaptation = (first, second)
        self.lora_enabled = True
        matrix.trainable = False

    @property
    def _lora_scale(self) -> float:
        return self.lora_alpha / self.lora_rank

    def _adapted(self) -> Any:
        """The matrix as a variable, or the sum as a tensor."""
        matrix = self._untracked_matrix
        if not self.lora_enabled:
            if matrix is None:
                raise ValueStateError("a built layer", "an unbuilt one", f"`{self.adapted_name}` of {where(self)}")
            return matrix
        first, second = self._untracked_adaptation
        return ops.add(matrix, ops.multiply(ops.matmul(first, second), self._lora_scale))

    @property
    def trainable(self) -> bool:
        """Whether the variables may be trained; the matrix stands still as long as it is adapted."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Layer.trainable.fset(self, value)  # type: ignore[attr-defined]
        if self.lora_enabled:
            self._untracked_matrix.trainable = False  # type: ignore[union-attr]

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables into a mapping, the sum in place of the matrix."""
        for index, variable in enumerate(self._saved_variables()):
            value = self._adapted() if variable is self._untracked_matrix else variable
            store[str(index)] = ops.convert_to_numpy(value)

    def load_own_variables(self, store: Any) -> None:
        """Reads the variables from a mapping; the matrix takes the sum, and `B` starts from zero again."""
        super().load_own_variables(store)
        if self.lora_enabled:
            second = self._untracked_adaptation[1]
            second.assign(ops.zeros(second.shape, dtype=second.dtype))

    def _saved_variables(self) -> list[Variable]:
        """The own variables without the adaptation, which the sum contains."""
        adaptation = self._untracked_adaptation if self.lora_enabled else ()
        return [one for one in self._own_variables() if all(one is not other for other in adaptation)]

    def get_config(self) -> dict[str, Any]:
        """The arguments; those of the adaptation only if there is one."""
        config = super().get_config()
        if self.lora_rank is None:
            config.pop("lora_rank", None)
            config.pop("lora_alpha", None)
        return config
