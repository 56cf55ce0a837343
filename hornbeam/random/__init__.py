"""`hornbeam.random`: random tensors, and the generators of their seeds."""

from hornbeam.random.distributions import categorical, dropout, normal, randint, shuffle, truncated_normal, uniform
from hornbeam.random.rejection import beta, binomial, gamma
from hornbeam.random.seed_generator import SeedGenerator, draw_seed, set_global_seed

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "draw_seed",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "set_global_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]
