"""The table of recurrent layers, cells and what is wrapped around layers, in the form of layers_table.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.layers_table import MASK, STEPS, Floats, Row

LATE = np.array([[False, True, True, False, True], [True, True, False, True, True]])
H, C, D = (np.random.RandomState(i).normal(size=(2, 4)).astype("float32") for i in range(3))
STATES = {"LSTM": [H, C], "GRU": [H], "SimpleRNN": [H]}


def _layers() -> list[Row]:
    rows = []
    for name, states in STATES.items():

        def row(
            what: str, weights: int = 3, mask: Any = None, call: Any = None, data: Any = STEPS, name: str = name,
            **kwargs: Any,
        ) -> None:
            noisy = kwargs.get("dropout", 0) > 0 or kwargs.get("recurrent_dropout", 0) > 0
            rows.append(
                Row(
                    f"{name}/{what}" if what else name,
                    lambda keras: getattr(keras.layers, name)(4, **kwargs),
                    data,
                    weights,
                    mask=mask,
                    call=call or {},
                    differs=noisy,
                    random=noisy,
                    open_axes=not kwargs.get("unroll"),
                )
            )

        row("")
        row("sequences, states", return_sequences=True, return_state=True)
        row("backwards", go_backwards=True, return_sequences=True, return_state=True)
        row("states", return_state=True)
        row("unroll", unroll=True, return_sequences=True, mask=LATE)
        row("one step", data=Floats((2, 1, 3)), return_sequences=True)
        row("initial_state", call={"initial_state": states}, return_state=True)
        row("mask", mask=MASK, return_state=True)
        row("mask, sequences", mask=LATE, return_sequences=True, return_state=True)
        row("mask, backwards", mask=LATE, return_sequences=True, go_backwards=True)
        row("mask, zeros", mask=LATE, return_sequences=True, return_state=True, zero_output_for_mask=True)
        row("mask, zero at the end", mask=MASK, zero_output_for_mask=True)
        row("dropout", dropout=0.5, seed=1)
        row("recurrent_dropout", recurrent_dropout=0.5, return_sequences=True)
        more = {} if name == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"}
        row("no bias", 2, use_bias=False, activation="relu", **more)
        row(
            "everything",
            kernel_initializer="he_normal",
            recurrent_initializer="glorot_uniform",
            bias_initializer="ones",
            kernel_regularizer="l2",
            recurrent_regularizer="l1",
            bias_regularizer="l2",
            activity_regularizer="l2",
            kernel_constraint="max_norm",
            recurrent_constraint="unit_norm",
            bias_constraint="non_neg",
        )
        if name == "GRU":
            row("reset before", reset_after=False, return_sequences=True)
            row("reset before, no bias", 2, reset_after=False, use_bias=False)
        if name == "LSTM":
            row("forget bias", unit_forget_bias=False)
        if name != "SimpleRNN":
            row("no kernel of the backend", use_cudnn=False)
    return rows


STATE = Floats((2, 4))
CELLS = [
    Row("LSTMCell", lambda keras: keras.layers.LSTMCell(4), [Floats((2, 3)), [STATE, STATE]], 3, spread=True),
    Row(
        "LSTMCell/no bias",
        lambda keras: keras.layers.LSTMCell(4, use_bias=False, recurrent_activation="hard_sigmoid", activation="elu"),
        [Floats((2, 3)), [STATE, STATE]],
        2,
        spread=True,
    ),
    Row("GRUCell", lambda keras: keras.layers.GRUCell(4), [Floats((2, 3)), [STATE]], 3, spread=True),
    Row(
        "GRUCell/reset before",
        lambda keras: keras.layers.GRUCell(4, reset_after=False, recurrent_regularizer="l2"),
        [Floats((2, 3)), [STATE]],
        3,
        spread=True,
    ),
    Row("SimpleRNNCell", lambda keras: keras.layers.SimpleRNNCell(4), [Floats((2, 3)), [STATE]], 3, spread=True),
    Row(
        "StackedRNNCells",
        lambda keras: keras.layers.StackedRNNCells([keras.layers.LSTMCell(4), keras.layers.SimpleRNNCell(2)]),
        [Floats((2, 3)), [[STATE, STATE], [Floats((2, 2))]]],
        6,
        spread=True,
        mixed=False,
    ),
    Row("RNN", lambda keras: keras.layers.RNN(keras.layers.LSTMCell(4)), STEPS, 3, mixed=False),
    Row(
        "RNN/mask",
        lambda keras: keras.layers.RNN(keras.layers.GRUCell(4), return_sequences=True, return_state=True),
        STEPS,
        3,
        mixed=False,
        mask=LATE,
    ),
    Row(
        "RNN/mask, zeros, backwards",
        lambda keras: keras.layers.RNN(
            keras.layers.SimpleRNNCell(4), return_sequences=True, go_backwards=True, zero_output_for_mask=True
        ),
        STEPS,
        3,
        mixed=False,
        mask=LATE,
    ),
    Row(
        "RNN/stacked",
        lambda keras: keras.layers.RNN(
            [keras.layers.LSTMCell(4), keras.layers.GRUCell(2)], return_sequences=True, return_state=True
        ),
        STEPS,
        6,
        mixed=False,
        mask=LATE,
    ),
    Row(
        "RNN/stacked, initial_state",
        lambda keras: keras.layers.RNN([keras.layers.LSTMCell(4), keras.layers.GRUCell(4)], unroll=True),
        STEPS,
        6,
        mixed=False,
        call={"initial_state": [[H, C], [D]]},
        open_axes=False,
    ),
    Row(
        "RNN/dropout of cells",
        lambda keras: keras.layers.RNN([keras.layers.LSTMCell(4, dropout=0.5), keras.layers.GRUCell(2, dropout=0.5)]),
        STEPS,
        6,
        mixed=False,
        differs=True,
        random=True,
    ),
]


def _both_ways() -> list[Row]:
    def row(what: str, weights: int = 6, mask: Any = None, layer: Any = None, call: Any = None, **kwargs: Any) -> Row:
        layer = layer or (lambda keras: keras.layers.LSTM(4))
        return Row(
            f"Bidirectional/{what}",
            lambda keras: keras.layers.Bidirectional(layer(keras), **kwargs),
            STEPS,
            weights,
            mask=mask,
            call=call or {},
            mixed=False,  # the layers inside have dtypes of their own
        )

    modes = [row(f"{mode}", merge_mode=mode) for mode in ("sum", "mul", "ave", "concat", None)]
    return [
        *modes,
        row("sequences", layer=lambda keras: keras.layers.GRU(4, return_sequences=True, name="g")),
        row("sequences, mask", layer=lambda keras: keras.layers.LSTM(4, return_sequences=True), mask=LATE),
        row("mask", layer=lambda keras: keras.layers.GRU(4), mask=MASK),
        row("states", layer=lambda keras: keras.layers.LSTM(4, return_sequences=True, return_state=True)),
        row("states, no merging", layer=lambda keras: keras.layers.GRU(4, return_state=True), merge_mode=None),
        row("initial_state", call={"initial_state": [H, C, D, H]}),
        row("of an RNN", layer=lambda keras: keras.layers.RNN(keras.layers.SimpleRNNCell(4))),
        Row(
            "Bidirectional/two layers",
            lambda keras: keras.layers.Bidirectional(
                keras.layers.LSTM(4), backward_layer=keras.layers.GRU(2, go_backwards=True)
            ),
            STEPS,
            6,
            mixed=False,
        ),
        Row(
            "TimeDistributed",
            lambda keras: keras.layers.TimeDistributed(keras.layers.Dense(4)),
            STEPS,
            2,
            mixed=False,
        ),
        Row(
            "TimeDistributed/images",
            lambda keras: keras.layers.TimeDistributed(keras.layers.Conv2D(2, 2)),
            Floats((2, 3, 5, 4, 2)),
            2,
            mixed=False,
        ),
        Row(
            "TimeDistributed/statistics",
            lambda keras: keras.layers.TimeDistributed(keras.layers.BatchNormalization()),
            STEPS,
            4,
            2,
            differs=True,
            open_axes=False,
            mixed=False,
        ),
        Row(
            "TimeDistributed/recurrent",
            lambda keras: keras.layers.TimeDistributed(keras.layers.LSTM(2)),
            Floats((2, 4, 5, 3)),
            3,
            mixed=False,
        ),
        Row(
            "TimeDistributed/model",
            lambda keras: keras.layers.TimeDistributed(
                keras.Sequential([keras.layers.Dense(2), keras.layers.ReLU()])
            ),
            STEPS,
            2,
            mixed=False,
        ),
    ]


ROWS: list[Row] = [*_layers(), *CELLS, *_both_ways()]
