"""The table of layers: one or more rows for each, every argument covered; knows neither hornbeam nor Keras, so that
both can be held against it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Floats:
    """Normally distributed numbers of a shape; with `zeros` some whole steps are zero."""

    shape: tuple[int, ...]
    zeros: tuple[Any, ...] = ()

    def make(self, random: np.random.RandomState) -> np.ndarray:
        """The array."""
        values = random.normal(size=self.shape).astype("float32")
        for place in self.zeros:
            values[place] = 0.0
        return values


@dataclass(frozen=True)
class Integers:
    """Integers from 0 to below `high`."""

    shape: tuple[int, ...]
    high: int = 10

    def make(self, random: np.random.RandomState) -> np.ndarray:
        """The array."""
        return random.randint(0, self.high, self.shape).astype("int32")


@dataclass(frozen=True)
class Row:
    """One layer with one choice of arguments.

    Attributes:
        name: The class, and after a slash what is special about the row.
        make: Makes the layer from the module `keras`, ours or Keras's.
        inputs: One kind of data, or a list of them, nested as need be.
        spread: Whether the list holds several inputs of the call, not one.
        weights: How many weights the layer has, and
        trainable: how many of them are trained; all if None.
        mask: The call's `mask`, or None.
        call: Further arguments of the call.
        differs: Whether `training=True` gives other outputs.
        random: Whether these are random, so that nothing but their shape can be compared.
        mixed: Whether it runs under mixed precision like any layer.
        gradients: Whether it has gradients by its inputs.
        open_axes: Whether symbolic inputs may leave every axis but the last open.
        saved: Whether a model of it may be saved and loaded in safe mode.
        config: What its config must contain.
    """

    name: str
    make: Callable[[Any], Any]
    inputs: Any
    weights: int = 0
    trainable: int | None = None
    mask: Any = None
    call: dict[str, Any] = field(default_factory=dict)
    spread: bool = False
    differs: bool = False
    random: bool = False
    mixed: bool = True
    gradients: bool = True
    open_axes: bool = True
    saved: bool = True
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def layer(self) -> str:
        """The name of the class."""
        return self.name.split("/")[0].split(",")[0]

    @property
    def settings(self) -> dict[str, Any]:
        """All further arguments of the call, arrays as NumPy arrays."""
        return self.call if self.mask is None else {**self.call, "mask": self.mask}

    def data(self) -> Any:
        """The inputs as NumPy arrays; the same in every process."""
        random = np.random.RandomState(zlib.crc32(self.name.encode()))

        def made(kind: Any) -> Any:
            return [made(one) for one in kind] if isinstance(kind, list) else kind.make(random)

        return made(self.inputs)

    def values(self, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        """Values for weights of these shapes, all positive as variances must be; the same in every process."""
        random = np.random.RandomState(zlib.crc32(self.name.encode()) ^ 1)
        return [random.uniform(0.2, 1.2, shape).astype("float32") for shape in shapes]


VECTOR = Floats((3, 4))
STEPS = Floats((2, 5, 3))
IMAGE = Floats((2, 6, 7, 4))
VOLUME = Floats((2, 5, 6, 4, 2))
MASK = np.array([[True, True, False, True, False], [True, True, True, True, False]])
PAIR = [Floats((3, 4)), Floats((3, 4))]

DENSE = [
    Row("Dense", lambda keras: keras.layers.Dense(5), VECTOR, 2, config={"units": 5, "activation": "linear"}),
    Row("Dense/three axes", lambda keras: keras.layers.Dense(5), STEPS, 2),
    Row("Dense/five axes", lambda keras: keras.layers.Dense(3), VOLUME, 2),
    Row("Dense/relu", lambda keras: keras.layers.Dense(5, activation="relu"), VECTOR, 2, config={"activation": "relu"}),
    Row("Dense/function", lambda keras: keras.layers.Dense(5, activation=keras.activations.gelu), VECTOR, 2),
    Row(
        "Dense/activation layer",
        lambda keras: keras.layers.Dense(5, keras.layers.LeakyReLU(0.2)),
        VECTOR,
        2,
        mixed=False,
    ),  # the activation has a dtype of its own
    Row("Dense/no bias", lambda keras: keras.layers.Dense(5, use_bias=False), VECTOR, 1, config={"use_bias": False}),
    Row("Dense/integers", lambda keras: keras.layers.Dense(5), Integers((3, 4)), 2),
    Row(
        "Dense/everything",
        lambda keras: keras.layers.Dense(
            units=3,
            activation="tanh",
            kernel_initializer=keras.initializers.HeNormal(seed=1),
            bias_initializer="ones",
            kernel_regularizer=keras.regularizers.L2(0.1),
            bias_regularizer="l1",
            activity_regularizer="l2",
            kernel_constraint=keras.constraints.MaxNorm(2.0),
            bias_constraint="non_neg",
            trainable=True,
            dtype="float32",
            name="everything",
        ),
        VECTOR,
        2,
        config={"name": "everything", "units": 3},
    ),
    Row("Dense/frozen", lambda keras: keras.layers.Dense(3, trainable=False), VECTOR, 2, 0),
    Row("Dense/lora", lambda keras: keras.layers.Dense(5, lora_rank=2), VECTOR, 4, 3),
    Row(
        "Dense/lora alpha", lambda keras: keras.layers.Dense(5, lora_rank=2, lora_alpha=6, use_bias=False), VECTOR, 3, 2
    ),
]

EMBEDDING = [
    Row("Embedding", lambda keras: keras.layers.Embedding(10, 4), Integers((3, 5)), 1),
    Row("Embedding/floats", lambda keras: keras.layers.Embedding(10, 4), Floats((0, 5)), 1, saved=False),
    Row("Embedding/mask_zero", lambda keras: keras.layers.Embedding(10, 4, mask_zero=True), Integers((3, 5), 3), 1),
    Row(
        "Embedding/everything",
        lambda keras: keras.layers.Embedding(
            10,
            4,
            embeddings_initializer=keras.initializers.RandomNormal(seed=3),
            embeddings_regularizer="l2",
            embeddings_constraint=keras.constraints.UnitNorm(axis=-1),
        ),
        Integers((3, 5)),
        1,
    ),
    Row(
        "Embedding/weights",
        lambda keras: keras.layers.Embedding(6, 2, weights=[np.arange(12, dtype="float32").reshape(6, 2)]),
        Integers((3,), 6),
        1,
    ),
    Row("Embedding/lora", lambda keras: keras.layers.Embedding(10, 4, lora_rank=2), Integers((3, 5)), 3, 2),
    Row(
        "Embedding/lora alpha",
        lambda keras: keras.layers.Embedding(10, 4, lora_rank=2, lora_alpha=3),
        Integers((3, 5)),
        3,
        2,
    ),
]


def _conv(rank: int, inputs: Floats) -> list[Row]:
    name = f"Conv{rank}D"

    def row(what: str, *args: Any, weights: int = 2, data: Any = inputs, **kwargs: Any) -> Row:
        return Row(
            f"{name}/{what}" if what else name,
            lambda keras: getattr(keras.layers, name)(*args, **kwargs),
            data,
            weights,
            open_axes="data_format" not in kwargs,
        )

    sizes = (3, 2, 1)[:rank]
    first = Floats((inputs.shape[0], inputs.shape[-1], *inputs.shape[1:-1]))
    rows = [
        row("", 4, 3),
        row("one size for each axis", 4, sizes),
        row("same", 4, sizes, padding="same"),
        row("upper case", 4, 2, padding="SAME"),
        row("strides", 4, 3, strides=2),
        row("strides, same", 4, 2, strides=(2, 1, 2)[:rank], padding="same"),
        row("dilation", 4, 2, dilation_rate=2),
        row("dilation, same", 4, 3, dilation_rate=(2, 1, 2)[:rank], padding="same"),
        row("groups", 4, 2, groups=2 if inputs.shape[-1] % 2 == 0 else 1),
        row("no bias", 4, 2, use_bias=False, weights=1),
        row("activation", 4, 2, activation="elu"),
        row(
            "everything",
            2,
            2,
            kernel_initializer="he_uniform",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l2",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
        ),
    ]
    rows.append(row("channels_first", 4, 2, data_format="channels_first", data=first))
    if rank == 1:
        rows += [
            row("causal", 4, 3, padding="causal"),
            row("causal, dilation", 4, 2, padding="causal", dilation_rate=2),
            row("causal, strides", 4, 3, padding="causal", strides=2),
            row("groups of three", 6, 2, groups=3),
        ]
    return rows


def _pooling() -> list[Row]:
    rows = []
    for kind in ("Max", "Average"):
        for rank, inputs in ((1, STEPS), (2, IMAGE), (3, VOLUME)):
            name = f"{kind}Pooling{rank}D"
            first = Floats((inputs.shape[0], inputs.shape[-1], *inputs.shape[1:-1]))
            for what, kwargs, data in (
                ("", {"pool_size": 2}, inputs),
                ("strides", {"pool_size": (3, 2, 2)[:rank], "strides": (1, 2, 1)[:rank]}, inputs),
                ("same", {"pool_size": 2, "strides": 2, "padding": "same"}, inputs),
                ("same, one by one", {"pool_size": 3, "strides": 1, "padding": "same"}, inputs),
                ("channels_first", {"pool_size": 2, "data_format": "channels_first"}, first),
            ):
                rows.append(
                    Row(
                        f"{name}/{what}" if what else name,
                        lambda keras, name=name, kwargs=kwargs: getattr(keras.layers, name)(**kwargs),
                        data,
                    )
                )
            if kind == "Max":
                rows.append(Row(f"{name}/default", lambda keras, name=name: getattr(keras.layers, name)(), inputs))
            name = f"Global{name}"
            for what, kwargs, data in (
                ("", {}, inputs),
                ("keepdims", {"keepdims": True}, inputs),
                ("channels_first", {"data_format": "channels_first"}, first),
                ("channels_first, keepdims", {"data_format": "channels_first", "keepdims": True}, first),
            ):
                rows.append(
                    Row(
                        f"{name}/{what}" if what else name,
                        lambda keras, name=name, kwargs=kwargs: getattr(keras.layers, name)(**kwargs),
                        data,
                    )
                )
    name = "GlobalAveragePooling1D"
    rows.append(Row(f"{name}/mask", lambda keras: keras.layers.GlobalAveragePooling1D(), STEPS, mask=MASK))
    rows.append(
        Row(
            f"{name}/mask, keepdims", lambda keras: keras.layers.GlobalAveragePooling1D(keepdims=True), STEPS, mask=MASK
        )
    )
    rows.append(
        Row(
            f"{name}/mask, channels_first",
            lambda keras: keras.layers.GlobalAveragePooling1D("channels_first"),
            Floats((2, 3, 5)),
            mask=MASK,
        )
    )
    return rows


RESHAPING = [
    Row("Flatten", lambda keras: keras.layers.Flatten(), IMAGE, config={"data_format": "channels_last"}),
    Row("Flatten/channels_first", lambda keras: keras.layers.Flatten("channels_first"), IMAGE),
    Row("Flatten/vectors", lambda keras: keras.layers.Flatten(), VECTOR),
    Row("Flatten/scalars", lambda keras: keras.layers.Flatten(), Floats((3,))),
    Row("Flatten/integers", lambda keras: keras.layers.Flatten(), Integers((3, 4, 2))),
    Row("Reshape", lambda keras: keras.layers.Reshape((2, 2)), VECTOR, open_axes=False),
    Row("Reshape/minus one", lambda keras: keras.layers.Reshape((-1, 2)), IMAGE),
    Row("Reshape/one size", lambda keras: keras.layers.Reshape((4,)), Floats((3, 2, 2)), open_axes=False),
    Row("Reshape/integers", lambda keras: keras.layers.Reshape((2, 2)), Integers((3, 4)), open_axes=False),
    Row("Permute", lambda keras: keras.layers.Permute((2, 1)), STEPS),
    Row("Permute/three", lambda keras: keras.layers.Permute((3, 1, 2)), IMAGE),
    Row("RepeatVector", lambda keras: keras.layers.RepeatVector(3), VECTOR),
]

NORMALIZATION = [
    Row("BatchNormalization", lambda keras: keras.layers.BatchNormalization(), VECTOR, 4, 2, differs=True),
    Row("BatchNormalization/image", lambda keras: keras.layers.BatchNormalization(), IMAGE, 4, 2, differs=True),
    Row(
        "BatchNormalization/axis",
        lambda keras: keras.layers.BatchNormalization(axis=1),
        IMAGE,
        4,
        2,
        differs=True,
        open_axes=False,
    ),
    Row(
        "BatchNormalization/axis of steps",
        lambda keras: keras.layers.BatchNormalization(axis=-2),
        STEPS,
        4,
        2,
        differs=True,
        open_axes=False,
    ),
    Row(
        "BatchNormalization/momentum",
        lambda keras: keras.layers.BatchNormalization(momentum=0.5, epsilon=0.1),
        VECTOR,
        4,
        2,
        differs=True,
    ),
    Row(
        "BatchNormalization/no center",
        lambda keras: keras.layers.BatchNormalization(center=False),
        VECTOR,
        3,
        1,
        differs=True,
    ),
    Row(
        "BatchNormalization/no scale",
        lambda keras: keras.layers.BatchNormalization(scale=False),
        VECTOR,
        3,
        1,
        differs=True,
    ),
    Row(
        "BatchNormalization/neither",
        lambda keras: keras.layers.BatchNormalization(center=False, scale=False),
        VECTOR,
        2,
        0,
        differs=True,
    ),
    Row(
        "BatchNormalization/everything",
        lambda keras: keras.layers.BatchNormalization(
            beta_initializer="ones",
            gamma_initializer=keras.initializers.Constant(2.0),
            moving_mean_initializer="ones",
            moving_variance_initializer=keras.initializers.Constant(3.0),
            beta_regularizer="l1",
            gamma_regularizer="l2",
            beta_constraint="non_neg",
            gamma_constraint="max_norm",
        ),
        VECTOR,
        4,
        2,
        differs=True,
    ),
    Row(
        "BatchNormalization/mask", lambda keras: keras.layers.BatchNormalization(), STEPS, 4, 2, mask=MASK, differs=True
    ),
    Row(
        "BatchNormalization/mask, axis",
        lambda keras: keras.layers.BatchNormalization(axis=1),
        STEPS,
        4,
        2,
        mask=MASK,
        differs=True,
        open_axes=False,
    ),
    Row(
        "BatchNormalization/renorm",
        lambda keras: keras.layers.BatchNormalization(renorm=True, renorm_momentum=0.9),
        VECTOR,
        7,
        2,
        differs=True,
    ),
    Row(
        "BatchNormalization/renorm, clipping",
        lambda keras: keras.layers.BatchNormalization(
            renorm=True, renorm_clipping={"rmin": 0.9, "rmax": 1.1, "dmax": 0.1}
        ),
        IMAGE,
        7,
        2,
        differs=True,
    ),
    Row(
        "BatchNormalization/renorm, bare",
        lambda keras: keras.layers.BatchNormalization(renorm=True, center=False, scale=False),
        VECTOR,
        5,
        0,
        differs=True,
    ),
    Row("BatchNormalization/frozen", lambda keras: keras.layers.BatchNormalization(trainable=False), VECTOR, 4, 0),
    Row("LayerNormalization", lambda keras: keras.layers.LayerNormalization(), VECTOR, 2),
    Row(
        "LayerNormalization/axis",
        lambda keras: keras.layers.LayerNormalization(axis=1, epsilon=0.1),
        STEPS,
        2,
        open_axes=False,
    ),
    Row(
        "LayerNormalization/axes", lambda keras: keras.layers.LayerNormalization(axis=[1, 2]), STEPS, 2, open_axes=False
    ),
    Row(
        "LayerNormalization/far axes",
        lambda keras: keras.layers.LayerNormalization(axis=(1, -1)),
        IMAGE,
        2,
        open_axes=False,
    ),
    Row("LayerNormalization/no center", lambda keras: keras.layers.LayerNormalization(center=False), VECTOR, 1),
    Row("LayerNormalization/no scale", lambda keras: keras.layers.LayerNormalization(scale=False), VECTOR, 1),
    Row(
        "LayerNormalization/neither",
        lambda keras: keras.layers.LayerNormalization(center=False, scale=False),
        VECTOR,
        0,
    ),
    Row(
        "LayerNormalization/everything",
        lambda keras: keras.layers.LayerNormalization(
            beta_initializer="ones",
            gamma_initializer="zeros",
            beta_regularizer="l1",
            gamma_regularizer="l2",
            beta_constraint="non_neg",
            gamma_constraint="max_norm",
        ),
        VECTOR,
        2,
    ),
]

REGULARIZATION = [
    Row("Dropout", lambda keras: keras.layers.Dropout(0.5), Floats((20, 20)), differs=True, random=True),
    Row("Dropout/nothing", lambda keras: keras.layers.Dropout(0), VECTOR),
    Row("Dropout/seed", lambda keras: keras.layers.Dropout(0.3, seed=7), Floats((20, 20)), differs=True, random=True),
    Row(
        "Dropout/noise_shape",
        lambda keras: keras.layers.Dropout(0.5, noise_shape=(20, 1, 3)),
        Floats((20, 5, 3)),
        differs=True,
        random=True,
        open_axes=False,
        mixed=False,
    ),
    Row(
        "Dropout/open noise_shape",
        lambda keras: keras.layers.Dropout(0.5, noise_shape=(None, 1, None)),
        Floats((20, 5, 3)),
        differs=True,
        random=True,
    ),
    Row(
        "SpatialDropout1D",
        lambda keras: keras.layers.SpatialDropout1D(0.5, seed=1),
        Floats((9, 5, 8)),
        differs=True,
        random=True,
    ),
    Row(
        "SpatialDropout2D",
        lambda keras: keras.layers.SpatialDropout2D(0.5),
        Floats((9, 2, 2, 8)),
        differs=True,
        random=True,
    ),
    Row(
        "SpatialDropout2D/channels_first",
        lambda keras: keras.layers.SpatialDropout2D(0.5, "channels_first", 3),
        Floats((9, 8, 2, 2)),
        differs=True,
        random=True,
    ),
    Row(
        "SpatialDropout3D",
        lambda keras: keras.layers.SpatialDropout3D(0.5),
        Floats((9, 2, 2, 2, 8)),
        differs=True,
        random=True,
    ),
    Row(
        "SpatialDropout3D/channels_first",
        lambda keras: keras.layers.SpatialDropout3D(0.5, data_format="channels_first", seed=3),
        Floats((9, 8, 2, 2, 2)),
        differs=True,
        random=True,
    ),
]

ACTIVATIONS = [
    Row("Activation", lambda keras: keras.layers.Activation("relu"), VECTOR, config={"activation": "relu"}),
    Row("Activation/softmax", lambda keras: keras.layers.Activation("softmax"), STEPS),
    Row("Activation/function", lambda keras: keras.layers.Activation(keras.activations.swish), VECTOR),
    Row("Activation/none", lambda keras: keras.layers.Activation(None), VECTOR),
    Row("ReLU", lambda keras: keras.layers.ReLU(), VECTOR),
    Row("ReLU/everything", lambda keras: keras.layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), VECTOR),
    Row("ReLU/threshold", lambda keras: keras.layers.ReLU(threshold=0.5), VECTOR),
    Row("LeakyReLU", lambda keras: keras.layers.LeakyReLU(), VECTOR, config={"negative_slope": 0.3}),
    Row("LeakyReLU/slope", lambda keras: keras.layers.LeakyReLU(negative_slope=0.01), VECTOR),
    Row("ELU", lambda keras: keras.layers.ELU(), VECTOR),
    Row("ELU/alpha", lambda keras: keras.layers.ELU(alpha=0.5), VECTOR),
    Row("PReLU", lambda keras: keras.layers.PReLU(), IMAGE, 1, open_axes=False),
    Row(
        "PReLU/everything",
        lambda keras: keras.layers.PReLU(
            alpha_initializer=keras.initializers.Constant(0.2),
            alpha_regularizer="l2",
            alpha_constraint="non_neg",
            shared_axes=[1, 2],
        ),
        IMAGE,
        1,
    ),
    Row("Softmax", lambda keras: keras.layers.Softmax(), VECTOR),
    Row("Softmax/axis", lambda keras: keras.layers.Softmax(axis=1), STEPS),
    Row("Softmax/axes", lambda keras: keras.layers.Softmax(axis=(1, 2)), STEPS),
    Row(
        "Softmax/all masked",
        lambda keras: keras.layers.Softmax(axis=(1, 2)),
        STEPS,
        mask=np.array([[[False]], [[True]]]) & np.ones((2, 5, 3), bool),
    ),
    Row("Softmax/mask", lambda keras: keras.layers.Softmax(), Floats((2, 5)), mask=MASK),
]

MERGING = [
    *(
        Row(name, lambda keras, name=name: getattr(keras.layers, name)(), [VECTOR] * 3)
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
    ),
    *(
        Row(
            f"{name}/broadcast",
            lambda keras, name=name: getattr(keras.layers, name)(),
            [STEPS, Floats((2, 1, 3))],
            open_axes=False,
        )
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")
    ),
    *(
        Row(
            f"{name}/fewer axes",
            lambda keras, name=name: getattr(keras.layers, name)(),
            [STEPS, Floats((2, 3))],
            open_axes=False,
        )
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")
    ),
    Row("Subtract", lambda keras: keras.layers.Subtract(), PAIR),
    Row("Concatenate", lambda keras: keras.layers.Concatenate(), [VECTOR, Floats((3, 2)), Floats((3, 1))]),
    Row("Concatenate/axis", lambda keras: keras.layers.Concatenate(axis=1), [STEPS, Floats((2, 1, 3))]),
    Row("Dot", lambda keras: keras.layers.Dot(axes=1), PAIR),
    Row("Dot/axes", lambda keras: keras.layers.Dot(axes=(2, 1)), [STEPS, Floats((2, 3, 4))], open_axes=False),
    Row("Dot/negative axis", lambda keras: keras.layers.Dot(axes=-1), [STEPS, Floats((2, 4, 3))]),
    Row("Dot/normalize", lambda keras: keras.layers.Dot(axes=1, normalize=True), PAIR),
]

CORE = [
    Row("Identity", lambda keras: keras.layers.Identity(), VECTOR),
    Row("Rescaling", lambda keras: keras.layers.Rescaling(1 / 255), Integers((2, 4, 4, 1), 256)),
    Row("Rescaling/offset", lambda keras: keras.layers.Rescaling(scale=2.0, offset=-1.0), VECTOR),
    Row("Rescaling/channels", lambda keras: keras.layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 2.0]), STEPS),
    Row("Masking", lambda keras: keras.layers.Masking(), Floats((2, 5, 3), zeros=((0, 1), (1, slice(3, 5))))),
    Row("Masking/value", lambda keras: keras.layers.Masking(mask_value=0.5), STEPS),
    Row("Lambda", lambda keras: keras.layers.Lambda(_named(keras, _double)), VECTOR),
    Row(
        "Lambda/arguments", lambda keras: keras.layers.Lambda(_named(keras, _times), arguments={"factor": 3.0}), VECTOR
    ),
    Row("Lambda/output_shape", lambda keras: keras.layers.Lambda(_named(keras, _first), output_shape=(1,)), VECTOR),
]


def _named(keras: Any, function: Callable) -> Callable:
    """The function, which a config may name from here on."""
    name = f"layers_table>{function.__name__}"
    if keras.saving.get_registered_object(name) is None:
        keras.saving.register_keras_serializable("layers_table")(function)
    return function


def _double(x: Any) -> Any:
    return x * 2


def _times(x: Any, factor: float) -> Any:
    return x * factor


def _first(x: Any) -> Any:
    return x[:, :1]


# Integers pass through layers that only choose or move, and become floats elsewhere; graphs must know it too.
INTEGERS = [
    Row(f"{name}/integers", make, inputs, weights, trainable, mixed=False, differs=differs)
    for name, make, inputs, weights, trainable, differs in [
        *(
            (name, lambda keras, name=name: getattr(keras.layers, name)(), [Integers((3, 4))] * 2, 0, 0, False)
            for name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate")
        ),
        *(
            (name, lambda keras, name=name: getattr(keras.layers, name)(), Integers((3, 4)), 0, 0, False)
            for name in ("Identity", "Masking", "ReLU", "ELU", "LeakyReLU", "Softmax")
        ),
        *(
            (name, lambda keras, name=name: getattr(keras.layers, name)(2), Integers((2, 5, 3)), 0, 0, False)
            for name in ("MaxPooling1D", "AveragePooling1D")
        ),
        *(
            (name, lambda keras, name=name: getattr(keras.layers, name)(), Integers((2, 5, 3)), 0, 0, False)
            for name in ("GlobalMaxPooling1D", "GlobalAveragePooling1D")
        ),
        ("Dot", lambda keras: keras.layers.Dot(axes=1), [Integers((3, 4))] * 2, 0, 0, False),
        ("Activation", lambda keras: keras.layers.Activation("relu"), Integers((3, 4)), 0, 0, False),
        ("Activation, float", lambda keras: keras.layers.Activation("sigmoid"), Integers((3, 4)), 0, 0, False),
        ("PReLU", lambda keras: keras.layers.PReLU(), Integers((3, 4)), 1, 1, False),
        ("Conv1D", lambda keras: keras.layers.Conv1D(2, 2), Integers((2, 5, 3)), 2, 2, False),
        ("RepeatVector", lambda keras: keras.layers.RepeatVector(2), Integers((3, 4)), 0, 0, False),
        ("Permute", lambda keras: keras.layers.Permute((2, 1)), Integers((3, 4, 5)), 0, 0, False),
        ("LayerNormalization", lambda keras: keras.layers.LayerNormalization(), Integers((3, 4)), 2, 2, False),
        ("BatchNormalization", lambda keras: keras.layers.BatchNormalization(), Integers((3, 4)), 4, 2, True),
    ]
]


ROWS: list[Row] = [
    *DENSE,
    *EMBEDDING,
    *_conv(1, STEPS),
    *_conv(2, IMAGE),
    *_conv(3, VOLUME),
    *_pooling(),
    *RESHAPING,
    *NORMALIZATION,
    *REGULARIZATION,
    *ACTIVATIONS,
    *MERGING,
    *CORE,
    *INTEGERS,
]
