"""The table of layers that came after the first: further convolutions, normalization, pooling, margins, noise, and
attention without heads; in the form of layers_table.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.layers_table import IMAGE, MASK, STEPS, VECTOR, VOLUME, Floats, Integers, Row

SHAPES = {1: STEPS, 2: IMAGE, 3: VOLUME}


def first(data: Floats) -> Floats:
    """The same data with channels first."""
    return Floats((data.shape[0], data.shape[-1], *data.shape[1:-1]))


def row(name: str, *args: Any, what: str = "", data: Any = None, weights: int = 0, **kwargs: Any) -> Row:
    """A row whose layer takes these arguments; what begins with `row_` goes to the row."""
    options = {key[4:]: kwargs.pop(key) for key in list(kwargs) if key.startswith("row_")}
    return Row(
        f"{name}/{what}" if what else name, lambda keras: getattr(keras.layers, name)(*args, **kwargs), data, weights,
        **options,
    )


EVERYTHING = {
    "kernel_initializer": "he_uniform", "bias_initializer": "ones", "kernel_regularizer": "l2",
    "bias_regularizer": "l1", "activity_regularizer": "l2", "kernel_constraint": "max_norm",
    "bias_constraint": "non_neg",
}
DEPTHWISE = {key.replace("kernel", "depthwise"): value for key, value in EVERYTHING.items()}
SEPARABLE = DEPTHWISE | {
    "pointwise_initializer": "ones", "pointwise_regularizer": "l1", "pointwise_constraint": "unit_norm"
}


def _convolutions() -> list[Row]:
    rows = []
    for rank, data in SHAPES.items():
        name, sizes = f"Conv{rank}DTranspose", (3, 2, 1)[:rank]
        rows += [
            row(name, 3, 2, data=data, weights=2),
            row(name, 3, sizes, strides=(2, 3, 2)[:rank], what="strides", data=data, weights=2),
            row(name, 3, sizes, strides=2, padding="same", what="same", data=data, weights=2),
            row(name, 3, 2, strides=2, output_padding=1, what="output_padding", data=data, weights=2),
            row(name, 3, 2, dilation_rate=2, what="dilation", data=data, weights=2),
            row(name, 3, 2, use_bias=False, activation="elu", what="no bias", data=data, weights=1),
            row(name, 3, 2, what="everything", data=data, weights=2, **EVERYTHING),
            row(name, 3, 2, strides=2, data_format="channels_first", what="channels_first", data=first(data),
                weights=2, row_open_axes=False),
        ]
    for rank in (1, 2):
        data, sizes = SHAPES[rank], (3, 2)[:rank]
        name = f"DepthwiseConv{rank}D"
        rows += [
            row(name, 2, data=data, weights=2),
            row(name, sizes, depth_multiplier=2, padding="same", what="multiplier", data=data, weights=2),
            row(name, 2, strides=2, what="strides", data=data, weights=2),
            row(name, 2, dilation_rate=2, what="dilation", data=data, weights=2),
            row(name, 2, use_bias=False, activation="elu", what="no bias", data=data, weights=1),
            row(name, 2, what="everything", data=data, weights=2, **DEPTHWISE),
            row(name, 2, depth_multiplier=2, data_format="channels_first", what="channels_first", data=first(data),
                weights=2, row_open_axes=False),
        ]
        name = f"SeparableConv{rank}D"
        rows += [
            row(name, 5, 2, data=data, weights=3),
            row(name, 5, sizes, depth_multiplier=2, padding="same", what="multiplier", data=data, weights=3),
            row(name, 5, 2, strides=2, what="strides", data=data, weights=3),
            row(name, 5, 2, dilation_rate=2, what="dilation", data=data, weights=3),
            row(name, 5, 2, use_bias=False, activation="elu", what="no bias", data=data, weights=2),
            row(name, 5, 2, what="everything", data=data, weights=3, **SEPARABLE),
            row(name, 5, 2, depth_multiplier=2, data_format="channels_first", what="channels_first", data=first(data),
                weights=3, row_open_axes=False),
        ]
    return rows


NORMALIZATION = [
    row("GroupNormalization", 2, data=IMAGE, weights=2),
    row("GroupNormalization", -1, what="each channel", data=STEPS, weights=2, row_config={"groups": 3}),
    row("GroupNormalization", 1, what="one group", data=VECTOR, weights=2, epsilon=0.1),
    row("GroupNormalization", 3, axis=1, what="axis", data=Floats((2, 6, 5)), weights=2, row_open_axes=False),
    row("GroupNormalization", 2, center=False, what="no center", data=IMAGE, weights=1),
    row("GroupNormalization", 2, scale=False, what="no scale", data=IMAGE, weights=1),
    row("GroupNormalization", 2, center=False, scale=False, what="neither", data=IMAGE, weights=0),
    row("GroupNormalization", 2, what="everything", data=IMAGE, weights=2, beta_initializer="ones",
        gamma_initializer="zeros", beta_regularizer="l1", gamma_regularizer="l2", beta_constraint="non_neg",
        gamma_constraint="max_norm"),
    row("RMSNormalization", data=VECTOR, weights=1),
    row("RMSNormalization", epsilon=0.1, what="epsilon", data=STEPS, weights=1),
    row("RMSNormalization", axis=[1, 2], what="axes", data=STEPS, weights=1, row_open_axes=False),
    row("UnitNormalization", data=VECTOR),
    row("UnitNormalization", axis=[1, 2], what="axes", data=STEPS),
    row("UnitNormalization", axis=1, what="axis", data=STEPS),
    Row("SpectralNormalization", lambda keras: keras.layers.SpectralNormalization(keras.layers.Dense(3)), VECTOR, 3, 2,
        differs=True, mixed=False),
    Row("SpectralNormalization/iterations",
        lambda keras: keras.layers.SpectralNormalization(keras.layers.Conv2D(3, 2), power_iterations=3), IMAGE, 3, 2,
        differs=True, mixed=False),
]


def _spatial() -> list[Row]:
    rows = []
    for rank, data in SHAPES.items():
        sizes = (2, 3, 1)[:rank]
        for kind in ("Average", "Max"):
            name = f"Adaptive{kind}Pooling{rank}D"
            rows += [
                row(name, 2, data=data),
                row(name, sizes, what="sizes", data=data, row_open_axes=False),
                row(name, sizes, data_format="channels_first", what="channels_first", data=first(data),
                    row_open_axes=False),
            ]
        name = f"Cropping{rank}D"
        pairs = ((1, 2), (0, 1), (1, 0))[:rank]
        rows += [row(name, 1, data=data, row_open_axes=rank < 3), row(name, what="default", data=data)]
        rows += [row(name, pairs[0] if rank == 1 else pairs, what="pairs", data=data)]
        if rank > 1:
            rows += [
                row(name, (1, 2, 1)[:rank], what="numbers", data=data),
                row(name, pairs, data_format="channels_first", what="channels_first", data=first(data),
                    row_open_axes=False),
            ]
        name = f"ZeroPadding{rank}D"
        rows += [
            row(name, data=data),
            row(name, pairs[0] if rank == 1 else pairs, what="pairs", data=data),
            row(name, 2, data_format="channels_first", what="channels_first", data=first(data), row_open_axes=False),
        ]
        name = f"UpSampling{rank}D"
        rows += [row(name, data=data), row(name, 3, what="three", data=data)]
        if rank > 1:
            rows += [
                row(name, (1, 3, 2)[:rank], what="sizes", data=data),
                row(name, 2, data_format="channels_first", what="channels_first", data=first(data),
                    row_open_axes=False),
            ]
    rows += [
        row("UpSampling2D", (2, 3), interpolation=kind, what=kind, data=IMAGE, row_open_axes=False)
        for kind in ("bilinear", "bicubic", "lanczos3")
    ]
    rows += [
        row("Cropping1D", what="integers", data=Integers((2, 5, 3)), row_mixed=False),
        row("ZeroPadding1D", what="integers", data=Integers((2, 5, 3)), row_mixed=False),
        row("UpSampling1D", what="integers", data=Integers((2, 5, 3)), row_mixed=False),
    ]
    return rows


NOISE = [
    row("GaussianNoise", 0.5, data=Floats((9, 9)), row_differs=True, row_random=True),
    row("GaussianNoise", 0.0, what="nothing", data=VECTOR),
    row("GaussianDropout", 0.5, seed=2, data=Floats((9, 9)), row_differs=True, row_random=True),
    row("AlphaDropout", 0.5, data=Floats((9, 9)), row_differs=True, row_random=True),
    row("AlphaDropout", 0.5, noise_shape=(9, 1), seed=1, what="noise_shape", data=Floats((9, 9)), row_differs=True,
        row_random=True, row_mixed=False, row_open_axes=False),
    row("ActivityRegularization", 0.1, 0.2, data=VECTOR),
]

EMBEDDING = [
    row("ReversibleEmbedding", 10, 4, data=Integers((3, 5)), weights=1),
    row("ReversibleEmbedding", 10, 4, what="reverse", data=Floats((3, 5, 4)), weights=1, row_call={"reverse": True},
        row_mixed=False),
    row("ReversibleEmbedding", 10, 4, tie_weights=False, logit_soft_cap=2.0, reverse_dtype="float32",
        what="two matrices", data=Floats((3, 5, 4)), weights=2, row_call={"reverse": True}, row_mixed=False),
    row("ReversibleEmbedding", 10, 4, what="everything", data=Integers((3, 5), 3), weights=1, mask_zero=True,
        embeddings_initializer="ones", embeddings_regularizer="l2", embeddings_constraint="non_neg"),
]

QUERY, VALUE, KEY = Floats((2, 5, 4)), Floats((2, 6, 3)), Floats((2, 6, 4))
SEES = np.array([[True, True, False, True, False, True], [True, True, True, True, False, False]])
SCORES = {"return_attention_scores": True}


def _attention() -> list[Row]:
    rows = []
    for name, extra in (("Attention", 0), ("AdditiveAttention", 1)):
        rows += [
            row(name, data=[QUERY, KEY], weights=extra),
            row(name, what="key", data=[QUERY, VALUE, KEY], weights=extra),
            row(name, what="scores", data=[QUERY, VALUE, KEY], weights=extra, row_call=SCORES),
            row(name, what="causal", data=[QUERY, QUERY], weights=extra, row_call={"use_causal_mask": True, **SCORES}),
            row(name, what="masks", data=[QUERY, KEY], weights=extra, row_call={"mask": [MASK, SEES], **SCORES}),
            row(name, what="value mask", data=[QUERY, KEY], weights=extra, row_call={"mask": [None, SEES]}),
            row(name, dropout=0.5, seed=2, what="dropout", data=[QUERY, KEY], weights=extra, row_differs=True,
                row_random=True),
        ]
    return [
        *rows,
        row("Attention", use_scale=True, what="scale", data=[QUERY, KEY], weights=1),
        row("Attention", score_mode="concat", what="concat", data=[QUERY, VALUE, KEY], weights=1),
        row("Attention", use_scale=True, score_mode="concat", what="concat, scale", data=[QUERY, KEY], weights=2),
        row("AdditiveAttention", use_scale=False, what="no scale", data=[QUERY, KEY]),
    ]


def _conv_lstm() -> list[Row]:
    rows = []
    for rank, data in {1: Floats((2, 3, 5, 2)), 2: Floats((2, 3, 4, 5, 2)), 3: Floats((2, 2, 3, 4, 3, 1))}.items():
        name = f"ConvLSTM{rank}D"
        late = np.array([[False, True, True], [True, False, True]])[:, : data.shape[1]]
        rows += [
            row(name, 3, 2, data=data, weights=3),
            row(name, 3, (3, 2, 1)[:rank], padding="same", return_sequences=True, return_state=True, what="sequences",
                data=data, weights=3),
            row(name, 3, 2, what="mask", return_sequences=True, data=data, weights=3, row_mask=late),
        ]
        if rank == 2:
            rows += [
                row(name, 3, 2, strides=2, go_backwards=True, what="strides, backwards", data=data, weights=3,
                    return_sequences=True),
                row(name, 3, 2, data_format="channels_first", what="channels_first", data=Floats((2, 3, 2, 4, 5)),
                    weights=3, row_open_axes=False),
                row(name, 3, 2, dropout=0.5, recurrent_dropout=0.5, seed=1, what="dropout", data=data, weights=3,
                    row_differs=True, row_random=True),
                row(name, 3, 2, what="everything", data=data, weights=3, recurrent_activation="hard_sigmoid",
                    unit_forget_bias=False, recurrent_initializer="ones", recurrent_regularizer="l1",
                    recurrent_constraint="max_norm", **EVERYTHING),
            ]
    return rows


ROWS: list[Row] = [
    *_convolutions(), *NORMALIZATION, *_spatial(), *NOISE, *EMBEDDING, *_attention(), *_conv_lstm(),
]
