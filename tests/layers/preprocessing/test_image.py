"""Image preprocessing layers against Keras's recorded answers: with what chance decided there, they give the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tree
from hornbeam.backend import active as backend
from tests.known_gaps import IMAGE_ORACLE_GAPS
from tests.layers.preprocessing.image_cases import CASES, images, parts

with np.load(Path(__file__).with_name("oracle_image.npz")) as _loaded:
    ARRAYS: dict[str, np.ndarray] = dict(_loaded)
FACTS: dict[str, Any] = json.loads(str(ARRAYS.pop("facts")))


def recorded(value: Any) -> Any:
    """A recorded structure, its arrays in place."""
    if isinstance(value, dict):
        if set(value) == {"array"}:
            return ARRAYS[value["array"]]
        return {key: recorded(one) for key, one in value.items()}
    return [recorded(one) for one in value] if isinstance(value, list) else value


def tensors(value: Any) -> Any:
    """The same structure with tensors for arrays."""
    if isinstance(value, dict):
        return {key: tensors(one) for key, one in value.items()}
    if isinstance(value, list):
        return [tensors(one) for one in value]
    return backend.asarray(value) if isinstance(value, np.ndarray) else value


def arrays_of(value: Any) -> Any:
    return tree.map_structure(lambda one: np.asarray(backend.to_numpy(one)), value)


def replayed(name: str) -> keras.Layer:
    """Our layer, in which chance decides as it did in Keras's."""
    layer = CASES[name].make(keras)
    if "drawn" in FACTS[name]:
        drawn = tensors(recorded(FACTS[name]["drawn"]))
        layer.get_random_transformation = lambda *args, **kwargs: drawn
    return layer


def tolerance(array: np.ndarray) -> float:
    """Bytes may differ by one where rounding decides; half precision by its last bits."""
    return 1.0 if array.dtype.kind in "iu" else 0.5 if array.dtype.name == "float16" else 2e-3


def gap(name: str, aspect: str) -> str | None:
    layer = name.split("/")[0]
    return IMAGE_ORACLE_GAPS.get(f"{name}/{aspect}") or IMAGE_ORACLE_GAPS.get(f"{layer}/*/{aspect}")


def rows(*aspects: str) -> Any:
    picked = []
    for name, case in CASES.items():
        for aspect in aspects if name in FACTS else ():
            if "fails" in FACTS[name] or (aspect not in FACTS[name] and aspect in ("drawn", *case.parts)):
                continue
            if isinstance(FACTS[name].get(aspect), dict) and "fails" in FACTS[name][aspect]:
                continue
            if aspect not in FACTS[name] and aspect not in ("config", "spec"):
                continue
            reason = gap(name, aspect)
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            picked.append(pytest.param(name, aspect, id=f"{name}/{aspect}", marks=marks))
    return pytest.mark.parametrize(("name", "aspect"), picked)


@rows("images", "labels", "bounding_boxes", "segmentation_masks")
def test_values(name: str, aspect: str) -> None:
    layer, case = replayed(name), CASES[name]
    batch = images(case.images)
    if aspect == "images":
        found = layer(batch, training=True)
    else:
        found = layer({"images": batch, aspect: parts(case.images)[aspect]}, training=True)[aspect]
    wanted = recorded(FACTS[name][aspect])
    found = arrays_of(found)
    if aspect == "bounding_boxes":  # boxes that are not there may lie anywhere
        there = wanted["labels"] != -1
        found["boxes"], wanted["boxes"] = (
            np.where(there[..., None], one["boxes"], -1) if one["boxes"].shape[:-1] == there.shape else one["boxes"]
            for one in (found, wanted)
        )
    keys = [*wanted] if isinstance(wanted, dict) else [None]
    for key in keys:
        one, other = (found, wanted) if key is None else (found[key], wanted[key])
        assert one.shape == other.shape
        if aspect == "images":
            assert one.dtype == other.dtype
        close = np.isclose(one.astype("float64"), other.astype("float64"), atol=tolerance(other), rtol=1e-4)
        # where values are cut into steps, the last bit of one that lies at an edge makes a difference
        assert np.mean(~close) <= (0.01 if name.startswith(("RandAugment", "AugMix")) else 0), (one, other)


@rows("drawn")
def test_what_chance_decides_has_the_same_form(name: str, aspect: str) -> None:
    def form(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: form(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [form(one) for one in value]
        if hasattr(value, "shape"):
            return [list(value.shape), backend.dtype(value) if backend.is_array(value) else str(value.dtype)]
        return value

    layer = CASES[name].make(keras)
    batch = images(CASES[name].images)
    found = layer.get_random_transformation({"images": backend.asarray(batch)}, training=True)
    wanted = form(tensors(recorded(FACTS[name]["drawn"])))
    found = form(found)
    if "chain_transforms" in wanted:  # which changes come, and in AugMix how many, is chance itself
        assert len(found.pop("chain_transforms")) == len(wanted.pop("chain_transforms"))
    assert found == wanted


@rows("config", "spec")
def test_config_and_shape(name: str, aspect: str) -> None:
    layer = CASES[name].make(keras)
    batch = images(CASES[name].images)
    if aspect == "spec":
        spec = layer(keras.KerasTensor((None, *batch.shape[1:]) if batch.ndim == 4 else batch.shape))
        assert [list(spec.shape), spec.dtype] == FACTS[name]["spec"]
        return
    wanted = FACTS[name]["serialized"]
    found = json.loads(json.dumps(keras.layers.serialize(layer)))
    for one in (found["config"], wanted["config"]):
        assert one.pop("name")
        one.pop("seed", None) if one.get("seed") is not None and CASES[name].fixed else None
    assert list(found["config"]) == list(wanted["config"])
    assert found == wanted
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
