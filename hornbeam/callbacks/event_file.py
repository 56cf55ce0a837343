"""`EventFile`: a file of events as TensorBoard reads them; written with the tensorboard package, without TensorFlow.

It knows the forms of scalars, histograms, images and texts, not what they mean.
"""

from __future__ import annotations

import io
import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.errors import MissingDependencyError

_numbers = itertools.count()


class EventFile:
    """One event file in a folder, made with the first event.

    Args:
        folder: The folder; TensorBoard shows each folder as one run.

    Raises:
        ImportError: If the tensorboard package is missing.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ModuleNotFoundError as missing:
            raise MissingDependencyError("tensorboard", "the TensorBoard callback", "tensorboard") from missing
        self._event, self._summary, self._writer_class = event_pb2.Event, summary_pb2.Summary, RecordWriter
        self.folder = folder
        self._file: Any = None
        self._writer: Any = None

    def scalar(self, tag: str, value: float, step: int) -> None:
        """One number of a curve."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        self._write(scalar_pb(tag, np.float32(value)), step)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """How many of the values lie in each of 30 intervals; what is not finite is left out."""
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        values = np.asarray(values, np.float64).ravel()
        self._write(histogram_pb(tag, values[np.isfinite(values)]), step)

    def images(self, tag: str, images: np.ndarray, step: int, limit: int = 3) -> None:
        """Up to `limit` pictures: uint8 [count, height, width, channels]."""
        from tensorboard.plugins.image import metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        count, height, width, _ = images.shape
        parts = [str(width).encode(), str(height).encode(), *(_png(one) for one in images[: min(count, limit)])]
        self._write_tensor(
            tag, make_tensor_proto(parts), metadata.create_summary_metadata(None, None, converted_to_tensor=None), step
        )

    def text(self, tag: str, text: str, plugin: str, content: bytes, step: int) -> None:
        """A text for a plugin of TensorBoard, such as the config of a model for its graph page."""
        from tensorboard.compat.proto.summary_pb2 import SummaryMetadata
        from tensorboard.util.tensor_util import make_tensor_proto

        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))
        self._write_tensor(tag, make_tensor_proto(text.encode()), metadata, step)

    def _write_tensor(self, tag: str, tensor: Any, metadata: Any, step: int) -> None:
        summary = self._summary()
        summary.value.add(tag=tag, metadata=metadata, tensor=tensor)
        self._write(summary, step)

    def _write(self, summary: Any, step: int) -> None:
        if self._writer is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
            self._file = (self.folder / name).open("xb")
            self._writer = self._writer_class(self._file)
            self._write_event(self._event(wall_time=time.time(), file_version="brain.Event:2"))
        self._write_event(self._event(wall_time=time.time(), step=step, summary=summary))

    def _write_event(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())

    def flush(self) -> None:
        """Makes what was written visible to a TensorBoard that is open."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Ends the file; a later event begins a new one."""
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _png(image: np.ndarray) -> bytes:
    try:
        from PIL import Image
    except ModuleNotFoundError as missing:
        raise MissingDependencyError("pillow", "images for TensorBoard", "data") from missing
    data = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(data, format="PNG")
    return data.getvalue()
