"""Every argument of every layer, given another value than its default, survives `get_config` and `from_config`.

The arguments come from the signatures, so a new one is met here by itself: it needs a value in VALUES or OF_LAYER.
"""

from __future__ import annotations

import inspect
import json
from types import FunctionType
from typing import Any

import pytest

import hornbeam as keras
from hornbeam.backend import active as backend
from hornbeam.layers.layer import Layer

L = keras.layers

# What an argument gets, by its name; each differs from the default.
VALUES: dict[str, Any] = {
    "activation": "elu", "recurrent_activation": "hard_sigmoid", "use_bias": False, "units": 3, "filters": 4,
    "kernel_size": 3, "strides": 2, "padding": "same", "dilation_rate": 2, "groups": 2, "depth_multiplier": 2,
    "data_format": "channels_first", "output_padding": 1, "pool_size": 3, "output_size": 3, "keepdims": True,
    "rate": 0.25, "noise_shape": (None, 1), "seed": 7, "stddev": 0.5, "l1": 0.5, "l2": 0.25, "epsilon": 0.125,
    "axis": 1, "momentum": 0.5, "center": False, "scale": False, "unit_forget_bias": False, "dropout": 0.25,
    "recurrent_dropout": 0.5, "return_sequences": True, "return_state": True, "go_backwards": True, "stateful": True,
    "unroll": True, "reset_after": False, "use_cudnn": False, "zero_output_for_mask": True, "num_heads": 2,
    "key_dim": 3, "value_dim": 5, "output_shape": (6,), "attention_axes": (2,), "sliding_window": 2,
    "flash_attention": False, "use_gate": True, "head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2,
    "use_scale": True, "score_mode": "concat", "input_dim": 9, "output_dim": 4, "mask_zero": True, "lora_rank": 2,
    "lora_alpha": 3, "tie_weights": False, "reverse_dtype": "float16", "logit_soft_cap": 2.0, "mask_value": 0.5,
    "offset": 0.5, "n": 3, "dims": (2, 1), "target_shape": (4, 1), "cropping": 2, "size": 3, "negative_slope": 0.5,
    "max_value": 2.0, "threshold": 0.25, "alpha": 0.5, "shared_axes": [1], "merge_mode": "sum", "power_iterations": 3,
    "renorm": True, "renorm_clipping": {"rmax": 2.0}, "renorm_momentum": 0.5, "synchronized": True,
    "axes": 2, "normalize": True, "bias_axes": "c", "equation": "ab,bc->ac", "name": "given", "trainable": False,
    "dtype": "float16", "interpolation": "bilinear", "optional": True,
}
# What the value is where the name alone does not tell.
OF_LAYER: dict[tuple[str, str], Any] = {
    ("RMSNormalization", "axis"): [1], ("Rescaling", "scale"): 2.0, ("UnitNormalization", "axis"): [1, 2],
    ("Softmax", "axis"): [1, 2], ("ZeroPadding1D", "padding"): 2, ("ZeroPadding2D", "padding"): 2,
    ("ZeroPadding3D", "padding"): 2, ("Concatenate", "axis"): 1, ("LayerNormalization", "axis"): [1],
    ("AdditiveAttention", "use_scale"): False, ("EinsumDense", "output_shape"): 6,
}
# Arguments that a layer must have.
NEEDED: dict[str, dict[str, Any]] = {
    "EinsumDense": {"equation": "ab,bc->ac", "output_shape": 5},
    "Bidirectional": {"layer": lambda: L.LSTM(2)}, "TimeDistributed": {"layer": lambda: L.Dense(2)},
    "SpectralNormalization": {"layer": lambda: L.Dense(2)}, "Wrapper": {"layer": lambda: L.Dense(2)},
    "RNN": {"cell": lambda: L.LSTMCell(2)}, "StackedRNNCells": {"cells": lambda: [L.LSTMCell(2)]},
    "Activation": {"activation": "relu"}, "Dot": {"axes": 1}, "Permute": {"dims": (1, 2)},
    "Reshape": {"target_shape": (2, 2)},
}
# Arguments with others beside them, without which they would be refused.
BESIDE = {
    "output_padding": {"strides": 2}, "groups": {"filters": 4}, "lora_alpha": {"lora_rank": 2},
    "renorm_clipping": {"renorm": True}, "renorm_momentum": {"renorm": True},
}
# Left out: layers with tests of their own, and arguments that are not part of a config, each with the reason.
LEFT_OUT_LAYERS = {"Layer", "InputLayer", "Lambda"}
LEFT_OUT: dict[str, str] = {
    "quantization_config": "must be None", "gptq_unpacked_column_size": "must be None",
    "weights": "what a layer starts from is saved with its weights", "backward_layer": "given",
    "layer": "given", "cell": "given", "cells": "given",
}


def _objects(name: str) -> Any:
    for ending, make in (
        ("_initializer", lambda: keras.initializers.RandomNormal(stddev=0.25, seed=3)),
        ("_regularizer", lambda: keras.regularizers.L2(0.125)),
        ("_constraint", lambda: keras.constraints.MaxNorm(3.0)),
    ):
        if name.endswith(ending):
            return make()
    return None


def _classes() -> list[str]:
    found = []
    for name in keras.layers.__all__:
        one = getattr(keras.layers, name)
        if (
            isinstance(one, type)
            and issubclass(one, Layer)
            and one.__module__.split(".")[2] not in ("preprocessing", "foreign")
            and name not in LEFT_OUT_LAYERS
            and name == one.__name__
        ):
            found.append(name)
    return found


def _cases() -> list[tuple[str, str]]:
    cases: list[tuple[str, str]] = []
    for name in [*_classes(), "GroupQueryAttention"]:
        for argument, parameter in inspect.signature(getattr(keras.layers, name).__init__).parameters.items():
            if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and argument not in ("self", *LEFT_OUT):
                cases.append((name, argument))
        cases += [(name, "name"), (name, "trainable")] if "SpatialDropout" not in name else []
    return list(dict.fromkeys(cases))


def _value(name: str, argument: str) -> Any:
    made = _objects(argument)
    return made if made is not None else OF_LAYER.get((name, argument), VALUES.get(argument))


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True))


def _made(given: dict[str, Any]) -> dict[str, Any]:
    return {key: one() if isinstance(one, FunctionType) else one for key, one in given.items()}


@pytest.mark.parametrize(("name", "argument"), _cases())
def test_argument(name: str, argument: str) -> None:
    if argument == "synchronized" and "synchronized" not in backend.features:
        pytest.skip("this backend does not share statistics between devices")
    cls = getattr(keras.layers, name)
    value = _value(name, argument)
    assert value is not None, f"give a value for {argument!r} in VALUES or OF_LAYER"
    given = dict(NEEDED.get(name, {}))
    for one in _required(cls) - set(given):
        given[one] = _value(name, one)
    given |= {key: one for key, one in BESIDE.get(argument, {}).items() if key in inspect.signature(cls).parameters}
    given = _made(given)
    layer = cls(**{**given, argument: value})
    config = _plain(layer.get_config())
    copy = cls.from_config(json.loads(json.dumps(config)))
    assert _plain(copy.get_config()) == config
    again = keras.layers.deserialize(_plain(keras.layers.serialize(copy)))
    assert _plain(again.get_config()) == config
    if argument in given or argument not in _required(cls):  # there is a layer without it, and its config differs
        assert _plain(cls(**given).get_config()) != config, f"{argument!r} is not in the config"
    settled = getattr(layer, argument, None)
    if isinstance(settled, (bool, int, float, str, tuple, list)):
        assert getattr(copy, argument) == settled


def _required(cls: type) -> set[str]:
    return {
        one.name
        for one in inspect.signature(cls.__init__).parameters.values()
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    } - {"self"}
