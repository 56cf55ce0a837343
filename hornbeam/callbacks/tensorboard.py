"""`TensorBoard`: curves, histograms, pictures and the graph of a training run, for TensorBoard to show."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.backend import active as backend
from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.event_file import EventFile
from hornbeam.errors import ArgumentError, ArgumentTypeError, UnknownNameError, describe, warn


class TensorBoard(Callback):
    """Writes what happens in training to event files, which ``tensorboard --logdir=...`` shows while it goes on.

    Training is written to the folder `train` in `log_dir`, validation to `validation`. TensorFlow is not needed,
    the package `tensorboard` is (``pip install 'hornbeam[tensorboard]'``).

    Args:
        log_dir: The folder.
        histogram_freq: Every how many epochs to write histograms of the weights; 0 for never.
        write_graph: Whether to write the layers of the model, for the graph page.
        write_images: Whether to write the weights as pictures too, together with the histograms.
        write_steps_per_second: Whether to write how many steps were done in a second.
        update_freq: "epoch", "batch", or every how many batches to write losses and metrics. What is not "epoch"
            costs speed, since each such batch is waited for.
        profile_batch: A batch, or a pair of the first and last batch, during which to profile the backend; 0 for
            none. The profile goes to `log_dir`, in the form the backend has for TensorBoard.
        embeddings_freq: Every how many epochs to write the weights of embedding layers; 0 for never.
        embeddings_metadata: The file with the words of the embedding, or a dict from the names of layers to files.

    Raises:
        ValueError: For a wrong frequency or range of batches.
        ImportError: When training begins and the tensorboard package is missing.

    >>> callback = TensorBoard("logs", histogram_freq=1)
    >>> callback.log_dir
    'logs'
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | str | tuple[int, int] | list[int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = _frequency(histogram_freq, "histogram_freq")
        self.embeddings_freq = _frequency(embeddings_freq, "embeddings_freq")
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = _update_frequency(update_freq)
        self.profile_batch = _batch_range(profile_batch)
        self.embeddings_metadata = embeddings_metadata
        self.every_batch = self.update_freq != "epoch" or self.profile_batch is not None
        self._train = self._validation = None  # event files, while training goes on
        self._step = 0  # batches of training so far, counted if each batch is looked at
        self._profiling = False
        self._epoch_started = self._batch_started = 0.0
        self._step_at_epoch = 0

    def set_model(self, model: Any) -> None:
        """Opens the event files of a model."""
        super().set_model(model)
        root = Path(self.log_dir)
        self._train, self._validation = EventFile(root / "train"), EventFile(root / "validation")
        self._step = self._iterations()
        if self.embeddings_freq:
            self._write_projector_config(root)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the graph."""
        if self.write_graph and self._train is not None:
            try:
                config = self.model.to_json()
            except (NotImplementedError, TypeError, ValueError) as problem:
                # subclassed models need not have a config; their other pages are as good without
                warn(f"TensorBoard: no graph of {self.model.name!r}: {problem}")
            else:
                self._train.text("keras", config, "graph_keras_model", b"1", 0)
                self._train.flush()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the time."""
        self._epoch_started, self._step_at_epoch = time.perf_counter(), self._steps_done()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the time; begins the profile at its first batch."""
        self._batch_started = time.perf_counter()
        if self.profile_batch is not None and self._step + 1 == self.profile_batch[0]:
            backend.start_profile(self.log_dir)
            self._profiling = True

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the results so far, if they are due; ends the profile after its last batch."""
        if not self.every_batch:
            return
        self._step += 1
        if self._profiling and self.profile_batch is not None and self._step >= self.profile_batch[1]:
            self._stop_profile()
        if self.update_freq == "epoch" or self._step % int(self.update_freq) or self._train is None:
            return
        if self.write_steps_per_second:
            rate = 1.0 / max(time.perf_counter() - self._batch_started, 1e-9)
            self._train.scalar("batch_steps_per_second", rate, self._step)
        for name, value in (logs or {}).items():
            self._train.scalar(f"batch_{name}", value, self._step)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the results of an evaluation over the steps of the optimizer."""
        if self._validation is None:
            return
        iterations = self._iterations()
        for name, value in (logs or {}).items():
            self._validation.scalar(f"evaluation_{name}_vs_iterations", value, iterations)
        self._validation.flush()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the results of an epoch, and what else is due."""
        train, validation = self._train, self._validation
        if train is None or validation is None:
            return
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                validation.scalar(f"epoch_{name[4:]}", value, epoch)
            elif name != "learning_rate":
                train.scalar(f"epoch_{name}", value, epoch)
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and hasattr(optimizer, "learning_rate"):
            train.scalar("epoch_learning_rate", float(backend.to_numpy(_tensor(optimizer.learning_rate))), epoch)
        if self.write_steps_per_second:
            seconds = max(time.perf_counter() - self._epoch_started, 1e-9)
            train.scalar("epoch_steps_per_second", (self._steps_done() - self._step_at_epoch) / seconds, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(train, epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        train.flush()
        validation.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the files."""
        self._stop_profile()
        for one in (self._train, self._validation):
            if one is not None:
                one.close()

    def on_interrupt(self) -> None:
        """Ends the files; what was written stays."""
        self.on_train_end()

    def _iterations(self) -> int:
        optimizer = getattr(self.model, "optimizer", None)
        return 0 if optimizer is None else int(backend.to_numpy(_tensor(optimizer.iterations)))

    def _steps_done(self) -> int:
        return self._step if self.every_batch else self._iterations()

    def _stop_profile(self) -> None:
        if self._profiling:
            self._profiling = False
            backend.stop_profile()

    def _write_weights(self, file: EventFile, epoch: int) -> None:
        for layer in self.model.layers:
            for weight in layer.weights:
                values = weight.numpy()
                file.histogram(f"{weight.path}/histogram", values, epoch)
                if self.write_images:
                    pictures = _as_pictures(values)
                    if pictures is not None:
                        file.images(f"{weight.path}/image", pictures, epoch)

    def _embedding_layers(self) -> list[Any]:
        return [one for one in self.model._flatten_layers() if hasattr(one, "embeddings") and one.built]

    def _write_embeddings(self) -> None:
        folder = Path(self.log_dir)
        for layer in self._embedding_layers():
            rows = layer.embeddings.numpy()
            lines = ("\t".join(f"{value:.6g}" for value in row) for row in rows)
            (folder / _embedding_file(layer)).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _write_projector_config(self, root: Path) -> None:
        """Tells TensorBoard's projector which files hold embeddings and the words for their rows."""
        layers = self._embedding_layers()
        metadata = self.embeddings_metadata
        names = [one.name for one in layers]
        if isinstance(metadata, dict):
            for name in metadata:
                if name not in names:
                    raise UnknownNameError("embedding layer", name, names, "TensorBoard: embeddings_metadata")
        entries = []
        for layer in layers:
            words = metadata.get(layer.name) if isinstance(metadata, dict) else metadata
            entry = f'embeddings {{\n  tensor_name: "{layer.name}"\n  tensor_path: "{_embedding_file(layer)}"\n'
            if words is not None:
                entry += f'  metadata_path: "{os.fspath(words)}"\n'
            entries.append(entry + "}\n")
        root.mkdir(parents=True, exist_ok=True)
        (root / "projector_config.pbtxt").write_text("".join(entries), encoding="utf-8")


def _tensor(value: Any) -> Any:
    return getattr(value, "value", value)


def _embedding_file(layer: Any) -> str:
    return re.sub(r"[^\w.-]", "_", layer.name) + ".tsv"


def _frequency(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError("a number of epochs, 0 for never", repr(value), f"TensorBoard: {name}")
    if value < 0:
        raise ArgumentError("a number of epochs, 0 for never", repr(value), f"TensorBoard: {name}")
    return int(value)


def _update_frequency(value: Any) -> str | int:
    if value == "epoch":
        return "epoch"
    if value == "batch":
        return 1
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ArgumentError(
            "'epoch', 'batch' or a positive number of batches", repr(value), "TensorBoard: update_freq"
        )
    return int(value)


def _batch_range(value: Any) -> tuple[int, int] | None:
    """The first and the last batch to profile; as Keras takes it: a number, a pair, or a text like "2,5"."""
    try:
        parts = [int(one) for one in value.split(",")] if isinstance(value, str) else value
        first, last = (parts, parts) if isinstance(parts, (int, np.integer)) else (parts[0], parts[-1])
        if isinstance(parts, (list, tuple)) and len(parts) > 2:
            raise ValueError
        if (first, last) == (0, 0):
            return None
        if not 0 < first <= last:
            raise ValueError
    except (TypeError, ValueError, IndexError):
        raise ArgumentError(
            "a number of a batch, a pair of them, or 0", describe(value), "TensorBoard: profile_batch"
        ) from None
    return int(first), int(last)


def _as_pictures(values: np.ndarray) -> np.ndarray | None:
    """Weights as uint8 pictures [count, height, width, channels]; None for forms that have none."""
    values = np.asarray(values, np.float32)
    if values.ndim < 4:
        values = np.squeeze(values)
    if not values.size or not np.isfinite(values).all():
        return None
    if values.ndim == 1:
        pictures = values[None, :, None, None]
    elif values.ndim == 2:
        pictures = (values.T if values.shape[0] > values.shape[1] else values)[None, :, :, None]
    elif values.ndim == 3:
        pictures = np.moveaxis(values, -1, 0)[..., None]
    elif values.ndim == 4 and values.shape[2] in (1, 3, 4):  # a kernel on images: one picture for each filter
        pictures = np.moveaxis(values, -1, 0)
    else:
        return None
    low, high = pictures.min(), pictures.max()
    return np.uint8(255 * (pictures - low) / max(high - low, 1e-12))
