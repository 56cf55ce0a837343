"""Where random numbers start: `SeedGenerator`, the global one, and keys drawn from them; knows no distribution."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from hornbeam import scope
from hornbeam._wire import wire
from hornbeam.backend import active as backend
from hornbeam.errors import ArgumentError, describe
from hornbeam.variable import Variable

# what sets the keys of replicas apart: an odd number near 2**32 over the golden ratio
_APART = 0x9E3779B9
# Seeds of generators that are given none; `set_global_seed` starts it anew.
_seeds = python_random.Random()


@wire("keras.random.SeedGenerator")
class SeedGenerator:
    """A source of keys that gives a new one at each call, also inside compiled functions.

    A key is a pair of the seed and a counter, from which Threefry makes the same random bits on all backends.
    A layer that holds a generator in an attribute saves and restores its state.

    Args:
        seed: An integer from 0 to 2**32 - 1; None draws one, which `hornbeam.utils.set_random_seed` makes
            repeatable.
        name: A name; None counts up from "seed_generator".

    Raises:
        ValueError: For another seed, or for unknown arguments.

    >>> import hornbeam as keras
    >>> generator = SeedGenerator(7)
    >>> [keras.ops.convert_to_numpy(generator.next()).tolist(), keras.ops.convert_to_numpy(generator.next()).tolist()]
    [[7, 0], [7, 1]]
    """

    tracked_kind = "seed"

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ArgumentError("the arguments seed and name", str(sorted(kwargs)), "SeedGenerator")
        if name is None:
            name = scope.auto_name("seed_generator")
        self.name = name
        self._given = seed
        self.seed: int = draw_number() if seed is None else checked_seed(seed, "SeedGenerator")
        with scope.name_scope(name):
            self.state = Variable(
                np.array([self.seed, 0], np.uint32), dtype="uint32", trainable=False, autocast=False,
                aggregation="none", name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Any:
        """A key that was not given before.

        Args:
            ordered: Whether keys come in the order of calls. They always do: a counter costs nothing.

        Returns:
            uint32 tensor [2]: the seed and the count of calls so far.
        """
        key = backend.snapshot(self.state.value)
        self.state.give(backend.next_key(key))
        number = backend.replica()  # replicas share the state, and draw numbers of their own
        return backend.xp.add(key, np.array([number * _APART % 2**32, 0], np.uint32)) if number else key

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal generator."""
        return {"seed": None if self._given is None else self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """A generator made from what `get_config` gave."""
        return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        """Writes the state into a mapping of names to arrays."""
        store["0"] = self.state.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the state from a mapping of names to arrays."""
        if "0" not in store:
            raise ArgumentError("the state of the generator under '0'", str(sorted(store.keys())), self.name)
        self.state.assign(np.asarray(store["0"]).astype(np.uint32))

    def _children(self) -> list[tuple[str, Any]]:
        return []

    def __repr__(self) -> str:
        return f"<SeedGenerator name={self.name}, seed={self.seed}>"


def checked_seed(seed: Any, where: str) -> int:
    """`seed` if it is an integer from 0 to 2**32 - 1.

    Raises:
        ValueError: If it is not.
    """
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ArgumentError("an integer seed from 0 to 2**32 - 1, or None", f"seed={seed!r}", where)
    return int(seed)


def draw_number() -> int:
    """A seed for something that was given none."""
    return _seeds.randint(1, 10**9)


_global: SeedGenerator | None = None


def global_seed_generator() -> SeedGenerator:
    """The generator of random functions that are called without a seed."""
    global _global
    if _global is None:
        _global = SeedGenerator(name="global_seed_generator")
    return _global


def set_global_seed(seed: int) -> None:
    """Makes all random numbers from here on repeatable: the global generator and seeds yet to be drawn.

    Args:
        seed: An integer from 0 to 2**32 - 1.

    Raises:
        ValueError: If it is anything else.

    >>> set_global_seed(1)
    """
    seed = checked_seed(seed, "set_global_seed")
    generator = global_seed_generator()  # the same object: compiled functions may hold it
    _seeds.seed(seed)
    generator.seed = seed
    generator.state.assign(np.array([seed, 0], np.uint32))


def draw_seed(seed: int | SeedGenerator | None) -> Any:
    """The key that a seed stands for.

    Args:
        seed: An integer, which always gives the same key; a `SeedGenerator`, which gives its next one; or None
            for the next one of the global generator.

    Returns:
        uint32 tensor [2].

    Raises:
        ValueError: If `seed` is anything else.

    >>> import hornbeam as keras
    >>> keras.ops.convert_to_numpy(draw_seed(3)).tolist()
    [3, 0]
    """
    if seed is None:
        return backend.brought(global_seed_generator().next())  # its state lies where it was first asked
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)):
        # a copy, so that the key belongs to the function that is being traced, if one is
        return backend.copy(backend.asarray(np.array([checked_seed(seed, "seed"), 0], np.uint32), "uint32"))
    raise ArgumentError("an integer, a SeedGenerator or None as seed", describe(seed), "draw_seed")
