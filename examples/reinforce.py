"""REINFORCE: a policy learns from the rewards of whole games, in a loop from scratch around one compiled step.

Run: python examples/reinforce.py [--updates 60]. The game, in NumPy: walk along a line of 7 fields to the flag.
R. Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning", 1992.
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


class Walk:
    """Many games at once: start in the middle, step left or right; the flag is right of the start or left of it."""

    size, longest = 7, 12

    def __init__(self, games: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.games = games

    def reset(self) -> np.ndarray:
        """Starts anew; gives what the players see."""
        self.place = np.full(self.games, self.size // 2)
        self.flag = self.rng.choice([0, self.size - 1], self.games)
        return self.view()

    def view(self) -> np.ndarray:
        """The own field and that of the flag, one-hot."""
        fields = np.eye(self.size, dtype="float32")
        return np.concatenate([fields[self.place], fields[self.flag]], axis=1)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Moves by 0 (left) or 1 (right); gives the view, the rewards and which games are over."""
        self.place = np.clip(self.place + 2 * actions - 1, 0, self.size - 1)
        won = self.place == self.flag
        return self.view(), np.where(won, 1.0, -0.1).astype("float32"), won


def play(policy, walk: Walk) -> tuple[np.ndarray, ...]:
    """Plays games to the end; views, actions, what followed each (discounted) and whether it still counted."""
    views, actions, rewards, alive = [], [], [], []
    view, running = walk.reset(), np.ones(walk.games, bool)
    for _ in range(walk.longest):
        odds = ops.convert_to_numpy(policy(view))
        action = (walk.rng.uniform(size=walk.games) < odds[:, 1]).astype("int32")
        views.append(view)
        actions.append(action)
        alive.append(running)
        view, reward, over = walk.step(action)
        rewards.append(reward * running)
        running = running & ~over
    returns, total = [], np.zeros(walk.games, "float32")
    for reward in reversed(rewards):
        total = reward + 0.95 * total
        returns.append(total)
    followed = np.stack(returns[::-1])
    return np.stack(views), np.stack(actions), followed.astype("float32"), np.stack(alive).astype("float32")


def make():
    """The network and its loss."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((2 * Walk.size,)), layers.Dense(32, "tanh"), layers.Dense(2)])

    def loss_fn(views, actions, advantages):
        chosen = ops.sum(ops.log_softmax(network(views)) * ops.one_hot(actions, 2), axis=-1)
        return -ops.mean(chosen * advantages)

    return network, loss_fn


def first_gradients() -> list:
    """The gradients of the first loss, for tests."""
    network, loss_fn = make()
    rng = np.random.default_rng(1)
    walk = Walk(16, 0)
    views = ops.convert_to_tensor(walk.reset())
    actions = ops.convert_to_tensor(rng.integers(0, 2, 16).astype("int32"))
    advantages = ops.convert_to_tensor(rng.normal(size=16).astype("float32"))
    return keras.grad(lambda: loss_fn(views, actions, advantages), network.trainable_variables)


def main(updates: int = 60) -> float:
    """Trains; gives the mean number of steps to the flag (3 is the best there can be)."""
    network, loss_fn = make()
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(network.trainable_variables)

    @keras.jit
    def step(views, actions, advantages):
        weights = network.trainable_variables
        loss, gradients = keras.value_and_grad(lambda: loss_fn(views, actions, advantages), weights)
        optimizer.apply(gradients, weights)
        return loss

    walk, length = Walk(64, 0), float(Walk.longest)
    for number in range(updates):
        views, actions, followed, alive = play(lambda view: ops.softmax(network(view)), walk)
        advantages = (followed - (followed * alive).sum() / alive.sum()) * alive
        step(views.reshape(-1, views.shape[-1]), actions.reshape(-1), advantages.reshape(-1))
        length = float(alive.sum(axis=0).mean())
        if number % 10 == 9:
            print(f"update {number + 1}: {length:.2f} steps to the flag")
    return length


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=60)
    main(parser.parse_args().updates)
