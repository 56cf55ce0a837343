"""Every layer, every argument: the table of layers through `check_layer`, on whichever backend is chosen."""

from pathlib import Path
from typing import Any

import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.layers.layer import Layer
from tests.conformance.all_layers import ROWS
from tests.conformance.check_layer import check_layer
from tests.conformance.layers_table import Row
from tests.known_gaps import LAYER_GAPS
from tests.layers.preprocessing import image_cases, text_cases


def _rows() -> list[Any]:
    rows = []
    for row in ROWS:
        reason = LAYER_GAPS.get(f"{row.name}/{backend.name}") or LAYER_GAPS.get(row.name)
        rows.append(
            pytest.param(row, id=row.name, marks=[pytest.mark.xfail(reason=reason, strict=True)] if reason else [])
        )
    return rows


def test_the_table_is_whole() -> None:
    named = {
        value.__name__
        for value in (getattr(keras.layers, name) for name in keras.layers.__all__)
        if isinstance(value, type)
        and issubclass(value, Layer)
        and value not in (Layer, keras.layers.InputLayer, keras.layers.Wrapper)
    }
    # those that take text, and those that change at random unless told not to, have tables of their own; those around
    # what is another framework's are tested on its backend
    elsewhere = {case.layer for case in text_cases.CASES.values()} | {"TorchModuleWrapper", "Pipeline"}
    elsewhere |= {"FlaxLayer", "JaxLayer", "TFSMLayer"} | {name.split("/")[0] for name in image_cases.CASES}
    assert {row.layer for row in ROWS} == named - elsewhere
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", _rows())
def test_layer(row: Row, tmp_path: Path) -> None:
    check_layer(
        lambda: row.make(keras),
        row.data(),
        weights=row.weights,
        trainable=row.weights if row.trainable is None else row.trainable,
        call=row.settings,
        spread=row.spread,
        training_differs=row.differs,
        mixed=row.mixed,
        gradients=row.gradients,
        open_axes=row.open_axes,
        config=row.config,
        tmp_path=tmp_path if row.saved else None,
    )
