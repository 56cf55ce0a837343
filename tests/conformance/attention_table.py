"""The table of attention layers and the projections they are made of, in the form of layers_table.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.layers_table import IMAGE, MASK, STEPS, VECTOR, VOLUME, Floats, Row

QUERY, VALUE = Floats((2, 5, 4)), Floats((2, 6, 3))
GRID = Floats((2, 2, 3, 4))
LOOK = np.random.RandomState(3).uniform(size=(2, 5, 6)) > 0.4
LOOK[..., 1] = True  # every query sees something
GRID_LOOK = np.random.RandomState(4).uniform(size=(2, 2, 3, 2, 3)) > 0.4
GRID_LOOK[..., 1, 1] = True
SEES = np.array([[True, True, False, True, False, True], [True, True, True, True, False, False]])


def _with_heads() -> list[Row]:
    """Layers called as (query, value, key)."""

    def row(what: str, inputs: Any = (QUERY, VALUE), weights: int = 8, call: Any = None, **kwargs: Any) -> list[Row]:
        rows = [
            Row(
                f"MultiHeadAttention/{what}",
                lambda keras: keras.layers.MultiHeadAttention(2, 3, **kwargs),
                list(inputs),
                weights,
                call=call or {},
                spread=True,
                differs=kwargs.get("dropout", 0) > 0,
                random=kwargs.get("dropout", 0) > 0,
                open_axes="attention_axes" not in kwargs and len(inputs[0].shape) == 3,
            )
        ]
        if len(inputs[0].shape) == 3 and not {"output_shape", "value_dim", "attention_axes"} & set(kwargs):
            rows.append(
                Row(
                    f"GroupedQueryAttention/{what}",
                    lambda keras: keras.layers.GroupQueryAttention(3, 4, 2, **kwargs),
                    [Floats((*one.shape[:-1], 4)) for one in inputs],  # Keras wants queries and values of one width
                    weights,
                    call=call or {},
                    spread=True,
                    differs=kwargs.get("dropout", 0) > 0,
                    random=kwargs.get("dropout", 0) > 0,
                )
            )
        return rows

    scores = {"return_attention_scores": True}
    same, three = (QUERY, QUERY), (QUERY, VALUE, Floats((2, 6, 5)))
    return [
        *row("itself", same),
        *row("other"),
        *row("key", three),
        *row("scores", call=scores),
        *row("causal", same, call={"use_causal_mask": True}),
        *row("causal, scores", same, call={"use_causal_mask": True, **scores}),
        *row("attention_mask", call={"attention_mask": LOOK}),
        *row("attention_mask of numbers", call={"attention_mask": LOOK[:1].astype("int32")}),
        *row("attention_mask, scores", call={"attention_mask": LOOK, **scores}),
        *row("attention_mask, heads", call={"attention_mask": np.stack([LOOK] * 1, 1)}),
        *row("query_mask", call={"query_mask": MASK}),
        *row("value_mask", call={"value_mask": SEES}),
        *row("key_mask, value_mask", three, call={"key_mask": SEES, "value_mask": SEES[::-1].copy(), **scores}),
        *row("all masks", same, call={"value_mask": MASK, "attention_mask": LOOK[..., 1:], "use_causal_mask": True}),
        *row("blind queries, scores", same, call={"attention_mask": np.triu(np.ones((1, 5, 5)), 1) > 0, **scores}),
        *row("sliding_window", same, sliding_window=2),
        *row("sliding_window, causal", same, call={"use_causal_mask": True}, sliding_window=3),
        *row("no bias", use_bias=False, weights=4),
        *row("gate", use_gate=True, weights=10),
        *row("dropout", dropout=0.5, seed=1),
        *row("value_dim", value_dim=4),
        *row("output_shape", output_shape=6),
        *row("output_shape of two", output_shape=(2, 3)),
        *row("grid", (GRID, GRID)),
        *row("grid, scores", (GRID, GRID), call=scores),
        *row("grid, rows", (GRID, GRID), attention_axes=(2,)),
        *row("grid, columns", (GRID, GRID), attention_axes=1, call=scores),
        *row("grid, attention_mask", (GRID, GRID), call={"attention_mask": GRID_LOOK}),
        *row(
            "everything",
            kernel_initializer="he_normal",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l2",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
        ),
    ]


EINSUM_DENSE = [
    Row("EinsumDense", lambda keras: keras.layers.EinsumDense("ab,bc->ac", 5, bias_axes="c"), VECTOR, 2),
    Row("EinsumDense/heads", lambda keras: keras.layers.EinsumDense("abc,cde->abde", (None, 2, 3)), STEPS, 1),
    Row(
        "EinsumDense/bias of heads",
        lambda keras: keras.layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="d", activation="relu"),
        STEPS,
        2,
    ),
    Row(
        "EinsumDense/along steps",
        lambda keras: keras.layers.EinsumDense("abc,bd->adc", (4, None), bias_axes="d"),
        STEPS,
        2,
        open_axes=False,
    ),
    Row("EinsumDense/left", lambda keras: keras.layers.EinsumDense("...x,xy->...y", 5, bias_axes="y"), VOLUME, 2),
    Row(
        "EinsumDense/right",
        lambda keras: keras.layers.EinsumDense("ab...,bc->ac...", 5, bias_axes="c"),
        IMAGE,
        2,
        open_axes=False,
    ),
    Row(
        "EinsumDense/for each step",
        lambda keras: keras.layers.EinsumDense("abc,bcd->abd", (5, 2), bias_axes="bd"),
        STEPS,
        2,
        open_axes=False,
    ),
    Row(
        "EinsumDense/everything",
        lambda keras: keras.layers.EinsumDense(
            "abc,cd->abd",
            (None, 4),
            activation="tanh",
            bias_axes="d",
            kernel_initializer="he_normal",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
        ),
        STEPS,
        2,
    ),
    Row(
        "EinsumDense/lora",
        lambda keras: keras.layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", lora_rank=2),
        STEPS,
        4,
        3,
    ),
]


ROWS: list[Row] = [*EINSUM_DENSE, *_with_heads()]
