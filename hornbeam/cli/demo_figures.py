"""The demo's pictures: curves of training, a confusion matrix, sample predictions; knows arrays, not models."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hornbeam.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PALE, GRID = "#22303c", "#8393a0", "#e3e8ec"
BLUE, ORANGE, RED, GREEN = "#2f6f9f", "#d9822b", "#b3362c", "#3f7d4e"
_DPI = 150


def require() -> None:
    """Raises an ImportError that says what to install, before the training and not after it."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError("matplotlib", "hornbeam demo", "demo")


def draw_all(
    history: Mapping[str, Sequence[float]],
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    folder: Path,
) -> Iterator[Path]:
    """Draws the three pictures into `folder` and gives each path when it is there."""
    guesses = probabilities.argmax(-1)
    for name, figure in (
        ("training_curves.png", training_curves(history)),
        ("confusion_matrix.png", confusion_matrix(labels, guesses)),
        ("sample_predictions.png", sample_predictions(images, labels, probabilities)),
    ):
        figure.savefig(folder / name, dpi=_DPI, facecolor="white")
        yield folder / name


def _figure(width: float, height: float, title: str, subtitle: str) -> Figure:
    # Not pyplot: a Figure of its own needs no window, keeps no global state, and draws with Agg.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    figure.text(0.35 / width, 1 - 0.42 / height, title, size=15, weight="bold", color=INK)
    figure.text(0.35 / width, 1 - 0.7 / height, subtitle, size=10, color=PALE)
    return figure


def _bare(axes: Axes) -> None:
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, colors=PALE, labelsize=9)


def training_curves(history: Mapping[str, Sequence[float]]) -> Figure:
    """Loss and accuracy by epoch, for training and validation, each line named where it ends.

    Args:
        history: `History.history` with "loss", "val_loss" and one metric with its "val_" twin.
    """
    metric = next(
        name for name in history if name != "loss" and not name.startswith("val_") and f"val_{name}" in history
    )
    epochs = np.arange(1, len(history["loss"]) + 1)
    best = int(np.argmin(history["val_loss"]))
    subtitle = (
        f"{len(epochs)} epochs; the best validation loss, {history['val_loss'][best]:.4f}, came in epoch {best + 1}"
    )
    figure = _figure(10, 4.4, "How the network learned", subtitle)
    grid = figure.add_gridspec(1, 2, left=0.07, right=0.9, top=0.76, bottom=0.13, wspace=0.42)
    for column, (name, title) in enumerate((("loss", "loss"), (metric, "accuracy"))):
        axes = figure.add_subplot(grid[0, column])
        _bare(axes)
        axes.grid(axis="y", color=GRID, linewidth=1)
        axes.set_axisbelow(True)
        axes.set_title(title, loc="left", size=11, color=INK)
        axes.set_xlabel("epoch", size=9, color=PALE)
        axes.xaxis.get_major_locator().set_params(integer=True)
        ends = []
        for key, color, said in ((name, PALE, "training"), (f"val_{name}", BLUE, "validation")):
            values = np.asarray(history[key], float)
            axes.plot(epochs, values, color=color, linewidth=2.2, solid_capstyle="round")
            ends.append([values[-1], color, said])
        axes.plot(best + 1, history[f"val_{name}"][best], "o", color=BLUE, markersize=8, markeredgecolor="white")
        if title == "accuracy":
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            axes.set_ylim(top=min(1.005, axes.get_ylim()[1]))
        _name_ends(axes, epochs[-1], ends)
    return figure


def _name_ends(axes: Axes, x: float, ends: list[list]) -> None:
    """Writes each line's name beside its end, apart enough to be read."""
    low, high = axes.get_ylim()
    apart = (high - low) * 0.09
    ends = sorted(ends, key=lambda one: one[0])
    heights = [one[0] for one in ends]
    if len(heights) == 2 and heights[1] - heights[0] < apart:
        middle = sum(heights) / 2
        heights = [middle - apart / 2, middle + apart / 2]
    for height, (_, color, said) in zip(heights, ends, strict=True):
        axes.annotate(
            said, (x, height), xytext=(9, 0), textcoords="offset points", va="center", size=10, color=color,
            weight="bold", annotation_clip=False,
        )  # fmt: skip


def confusion_matrix(labels: np.ndarray, guesses: np.ndarray, classes: int = 10) -> Figure:
    """How often each digit was read as which: rightly in blue, wrongly in orange.

    Args:
        labels: The true classes, shape `(count,)`.
        guesses: The predicted classes, shape `(count,)`.
        classes: How many classes there are.
    """
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels.astype(int), guesses.astype(int)), 1)
    wrong = int(counts.sum() - np.trace(counts))
    subtitle = f"{1 - wrong / counts.sum():.2%} right on the test: {wrong:,} of {counts.sum():,} digits read wrongly"
    figure = _figure(7, 7.3, "What was read as what", subtitle)
    axes = figure.add_axes((0.11, 0.05, 0.84, 0.75))
    _bare(axes)
    colors = np.ones((classes, classes, 3))
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    most = max(1, counts[~np.eye(classes, dtype=bool)].max())
    for row in range(classes):
        for column in range(classes):
            right = row == column
            strength = 0.15 + 0.85 * share[row, column] ** 2 if right else 0.9 * (counts[row, column] / most) ** 0.6
            tint = np.array([int((BLUE if right else ORANGE)[i : i + 2], 16) for i in (1, 3, 5)]) / 255
            if counts[row, column]:
                colors[row, column] = 1 + (tint - 1) * strength
                axes.text(
                    column, row, f"{counts[row, column]:,}", ha="center", va="center", size=10,
                    color="white" if strength > 0.55 else INK, weight="bold" if right else "normal",
                )  # fmt: skip
    axes.imshow(colors)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID, linewidth=1)
    axes.tick_params(which="minor", length=0)
    axes.set_xticks(range(classes), range(classes))
    axes.set_yticks(range(classes), range(classes))
    axes.tick_params(labelsize=11, colors=INK, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xlabel("read as", size=10, color=PALE, labelpad=8)
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("the digit is", size=10, color=PALE, labelpad=8)
    return figure


def sample_predictions(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, rows: int = 4, columns: int = 8
) -> Figure:
    """Digits with what the network says: the surest mistakes, then the digits it doubted most, then others.

    Args:
        images: Grey images from 0 to 1, shape `(count, height, width, 1)`.
        labels: The true classes, shape `(count,)`.
        probabilities: The predicted probabilities, shape `(count, classes)`.
        rows: How many rows.
        columns: How many digits in a row.
    """
    guesses, sure = probabilities.argmax(-1), probabilities.max(-1)
    room = min(rows * columns, len(images))
    mistakes = np.flatnonzero(guesses != labels)
    mistakes = mistakes[np.argsort(-sure[mistakes])][: room // 4]
    right = np.flatnonzero(guesses == labels)
    doubted = right[np.argsort(sure[right])][: room // 4]
    others = np.random.default_rng(0).permutation(np.setdiff1d(right, doubted))
    chosen = np.concatenate([mistakes, doubted, others])[:room]

    said = f"{len(mistakes)} mistakes (red), the {len(doubted)} right answers it doubted most, and others at random"
    height = 1.2 + 1.7 * rows
    figure = _figure(10, height, "What the network sees, and says", said)
    grid = figure.add_gridspec(
        rows, columns, left=0.035, right=0.965, top=1 - 1.15 / height, bottom=0.3 / height, hspace=0.4, wspace=0.2
    )
    for place, index in enumerate(chosen):
        cell = grid[place // columns, place % columns].subgridspec(2, 1, height_ratios=(5, 1.5), hspace=0.08)
        axes = figure.add_subplot(cell[0])
        wrong = guesses[index] != labels[index]
        axes.imshow(1 - images[index, ..., 0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        for side in axes.spines.values():
            side.set(color=RED if wrong else GRID, linewidth=2 if wrong else 1)
        text = f"{guesses[index]}" + (f", is {labels[index]}" if wrong else "")
        axes.set_title(f"{text}  {sure[index]:.0%}", size=9, color=RED if wrong else INK, pad=3)

        bars = figure.add_subplot(cell[1])
        _bare(bars)
        tints = [RED if wrong and c == guesses[index] else GREEN if c == labels[index] else PALE for c in range(10)]
        bars.bar(range(probabilities.shape[1]), probabilities[index], color=tints, width=0.8)
        bars.set_ylim(0, 1)
        bars.set_xticks(range(probabilities.shape[1]))
        bars.tick_params(labelsize=5.5, pad=1)
        bars.set_yticks([])
        bars.axhline(0, color=GRID, linewidth=1)
    return figure
