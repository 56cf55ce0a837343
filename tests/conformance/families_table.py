"""One row for each op of networks, mathematics, linear algebra and images (and each of its variants).

Knows neither hornbeam nor Keras, as ops_table.py, whose `Row` and `T` it uses.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.ops_table import Row, T

FLOATS = ("float16", "bfloat16", "float32")
SINGLE = ("float32",)
WITH_INTEGERS = ("int32", *FLOATS)

FAMILIES: dict[str, list[Row]] = {"nn": [], "math": [], "linalg": [], "image": []}


def row(family: str, name: str, *args: Any, **options: Any) -> None:
    marks = {key: options.pop(key) for key in list(options) if key in Row.__dataclass_fields__ and key != "kwargs"}
    marks.setdefault("dtypes", FLOATS)
    FAMILIES[family].append(Row(name, args, options, None, **marks))


# --- activations -------------------------------------------------------------------------------------------------

M = T((3, 6), -4, 4)
for _name in [
    "relu",
    "relu6",
    "softplus",
    "softsign",
    "leaky_relu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "elu",
    "selu",
    "celu",
    "gelu",
    "tanh_shrink",
    "hard_tanh",
    "hard_shrink",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "log_sigmoid",
]:
    row("nn", _name, M, dtypes=WITH_INTEGERS, grad=True, nan=True, empty=True, scalar=True)
for _name in ("sigmoid", "silu", "swish"):
    row("nn", _name, M, grad=True, nan=True, empty=True, scalar=True)
row("nn", "leaky_relu:slope", M, negative_slope=0.3, grad=True)
row("nn", "elu:alpha", M, alpha=0.5, grad=True)
row("nn", "celu:alpha", M, alpha=2.0, grad=True)
row("nn", "gelu:exact", M, approximate=False, grad=True, nan=True, empty=True)
row("nn", "squareplus:0", M, b=0, grad=True)
row("nn", "soft_shrink:1", M, threshold=1.0, grad=True)
row("nn", "threshold", M, threshold=0.4, default_value=7.0, grad=True, empty=True)
for _name in ("softmax", "log_softmax"):
    row("nn", _name, M, axis=-1, dtypes=WITH_INTEGERS, grad=True, nan=True, empty=True)
    row("nn", f"{_name}:0", M, axis=0, grad=True)
    row("nn", f"{_name}:axes", T((2, 3, 4)), axis=(0, 2), grad=True)
    row("nn", f"{_name}:all", T((2, 3, 4)), axis=None, grad=True)
row("nn", "sparsemax", T((3, 4), -1, 1), axis=-1, grad=True, empty=True)
row("nn", "glu", M, axis=-1, grad=True, nan=True, empty=True)

# --- convolution and pooling -------------------------------------------------------------------------------------

IMAGES = T((2, 6, 7, 4), -1, 1)
FIRST = T((2, 4, 6, 7), -1, 1)
row("nn", "conv", IMAGES, T((3, 2, 4, 6), open=False), grad=True, tolerance=1e-4)
row("nn", "conv:same", IMAGES, T((3, 2, 4, 6), open=False), strides=(2, 1), padding="same", grad=True, tolerance=1e-4)
row("nn", "conv:groups", IMAGES, T((2, 2, 2, 6), open=False), dilation_rate=2, grad=True, tolerance=1e-4)
row("nn", "conv:first", FIRST, T((2, 2, 4, 3), open=False), data_format="channels_first", strides=2, tolerance=1e-4)
row("nn", "conv:1d", T((2, 7, 3)), T((3, 3, 2), open=False), padding="same", grad=True, tolerance=1e-4)
row("nn", "conv:3d", T((1, 4, 4, 3, 2)), T((2, 2, 2, 2, 3), open=False), tolerance=1e-4)
row("nn", "depthwise_conv", IMAGES, T((3, 2, 4, 2), open=False), padding="same", grad=True, tolerance=1e-4)
row("nn", "depthwise_conv:strides", IMAGES, T((2, 2, 4, 1), open=False), strides=2, tolerance=1e-4)
row("nn", "separable_conv", IMAGES, T((3, 3, 4, 2), open=False), T((1, 1, 8, 5), open=False), grad=True, tolerance=1e-4)
row("nn", "conv_transpose", IMAGES, T((3, 3, 5, 4), open=False), strides=2, padding="same", grad=True, tolerance=1e-4)
row("nn", "conv_transpose:valid", IMAGES, T((3, 2, 5, 4), open=False), strides=(2, 3), grad=True, tolerance=1e-4)
row(
    "nn",
    "conv_transpose:output",
    IMAGES,
    T((3, 4, 5, 4), open=False),
    strides=2,
    padding="same",
    output_padding=1,
    tolerance=1e-4,
)
row("nn", "conv_transpose:1d", T((2, 5, 3)), T((4, 2, 3), open=False), dilation_rate=2, tolerance=1e-4)
row("nn", "max_pool", IMAGES, pool_size=(2, 3), strides=(2, 3), grad=True)
row("nn", "max_pool:same", IMAGES, pool_size=3, strides=2, padding="same", grad=True)
row("nn", "max_pool:first", FIRST, pool_size=(2, 2), strides=2, data_format="channels_first")
row("nn", "average_pool", IMAGES, pool_size=(2, 3), strides=(2, 3), grad=True)
row("nn", "average_pool:same", IMAGES, pool_size=3, strides=2, padding="same", grad=True)
row("nn", "adaptive_average_pool", IMAGES, output_size=(2, 3), grad=True)
row("nn", "adaptive_max_pool", IMAGES, output_size=(4, 3), grad=True)

# --- encodings and losses ----------------------------------------------------------------------------------------

LABELS = T((5,), dtype="int32", values=[0, 2, -1, 3, 7])
row("nn", "one_hot", LABELS, num_classes=4, axis=-1, dtype="float32", dtypes=SINGLE, extra_axes=1, empty=True)
row("nn", "one_hot:0", LABELS, num_classes=4, axis=0, dtype="int32", dtypes=SINGLE, extra_axes=1)
row("nn", "multi_hot", T((2, 3), dtype="int32", values=[[0, 2, 2], [1, -1, 9]]), num_classes=4, dtypes=SINGLE)
P = T((4, 3), 0.05, 0.9)
for _logits in (False, True):
    _suffix = ":logits" if _logits else ""
    row("nn", f"binary_crossentropy{_suffix}", T((4, 3), 0, 1), P, from_logits=_logits, grad=True, empty=True)
    row(
        "nn",
        f"categorical_crossentropy{_suffix}",
        T((4, 3), 0, 1),
        P,
        from_logits=_logits,
        axis=-1,
        grad=True,
        empty=True,
    )
    row(
        "nn",
        f"sparse_categorical_crossentropy{_suffix}",
        T((4,), dtype="int32", values=[0, 2, -1, 5]),
        P,
        from_logits=_logits,
        dtypes=SINGLE,
        grad=True,
    )
row("nn", "categorical_crossentropy:0", T((4, 3), 0, 1), P, axis=0, dtypes=SINGLE, grad=True)
row(
    "nn",
    "sparse_categorical_crossentropy:column",
    T((4, 1), dtype="int32", values=[[0], [2], [1], [1]]),
    P,
    dtypes=SINGLE,
)
row(
    "nn",
    "ctc_loss",
    T((2, 3), dtype="int32", values=[[1, 2, 2], [3, 1, 1]]),
    T((2, 8, 4)),
    T((2,), dtype="int32", values=[3, 1]),
    T((2,), dtype="int32", values=[8, 5]),
    dtypes=SINGLE,
    grad=True,
    tolerance=1e-4,
)
row("nn", "ctc_decode", T((2, 8, 4)), T((2,), dtype="int32", values=[8, 5]), dtypes=SINGLE, tolerance=1e-4)
row(
    "nn",
    "ctc_decode:beam",
    T((2, 6, 4), -3, 3),
    T((2,), dtype="int32", values=[6, 4]),
    strategy="beam_search",
    beam_width=8,
    top_paths=2,
    dtypes=SINGLE,
    tolerance=1e-4,
)

# --- normalisation and attention ---------------------------------------------------------------------------------

row("nn", "moments", M, axes=[0], grad=True, nan=True)
row("nn", "moments:keepdims", T((2, 3, 4)), axes=[0, 2], keepdims=True, grad=True)
C = T((4,), 0.5, 2.0, open=False)
row("nn", "batch_normalization", IMAGES, C, C, axis=-1, grad=True, tolerance=1e-4)
row("nn", "batch_normalization:scale", FIRST, C, C, axis=1, offset=C, scale=C, grad=True, tolerance=1e-4)
row("nn", "layer_normalization", M, axis=-1, epsilon=1e-3, grad=True, nan=True)
row("nn", "layer_normalization:affine", T((2, 3, 4)), T((4,), open=False), T((4,), open=False), grad=True)
row("nn", "layer_normalization:axes", T((2, 3, 4)), T((3, 4), open=False), axis=(1, 2), grad=True)
row("nn", "rms_normalization", M, axis=-1, grad=True, nan=True)
row("nn", "rms_normalization:scale", M, T((6,), open=False), grad=True)
row("nn", "normalize", M, axis=-1, dtypes=FLOATS, grad=True)
row("nn", "normalize:1", M, axis=0, order=1, grad=True)
row("nn", "normalize:3", M, axis=-1, order=3, grad=True)
Q = T((2, 3, 4, 8), -1, 1)
row("nn", "dot_product_attention", Q, T((2, 5, 4, 8)), T((2, 5, 4, 8)), grad=True, tolerance=1e-4)
row(
    "nn", "dot_product_attention:groups", Q, T((2, 3, 2, 8)), T((2, 3, 2, 8)), is_causal=True, grad=True, tolerance=1e-4
)
row(
    "nn",
    "dot_product_attention:mask",
    Q,
    T((2, 5, 4, 8)),
    T((2, 5, 4, 8)),
    bias=T((4, 3, 5), open=False),
    mask=T((2, 1, 3, 5), dtype="bool"),
    scale=0.5,
    dtypes=SINGLE,
    tolerance=1e-4,
)
row("nn", "psnr", M, T((3, 6), -4, 4), max_val=4.0, grad=True, tolerance=1e-4)
row("nn", "polar", T((3, 4), 0.1, 2.0), T((3, 4)), dtypes=SINGLE)
row("nn", "depth_to_space", T((2, 3, 4, 8)), block_size=2, grad=True)
row("nn", "depth_to_space:first", T((2, 8, 3, 4)), block_size=2, data_format="channels_first")
row("nn", "space_to_depth", T((2, 4, 6, 3)), block_size=2, grad=True)
row("nn", "space_to_depth:first", T((2, 3, 4, 6)), block_size=2, data_format="channels_first")
row("nn", "unfold", T((2, 3, 5, 6)), kernel_size=(2, 3), dilation=(1, 2), padding=(1, 0), stride=(2, 1), grad=True)
row("nn", "fold", T((2, 12, 20)), output_size=(5, 6), kernel_size=2, grad=True)
row("nn", "fold:strides", T((2, 12, 6)), output_size=(4, 7), kernel_size=(2, 3), stride=(2, 2), grad=True)

# --- mathematics -------------------------------------------------------------------------------------------------

row("math", "erf", M, grad=True, nan=True, empty=True, scalar=True)
row("math", "erfc", M, grad=True, nan=True, empty=True, scalar=True)
row("math", "erfinv", T((3, 6), -0.99, 0.99), grad=True, nan=True, empty=True, tolerance=5e-5)
row("math", "rsqrt", T((3, 6), 0.1, 4), grad=True, nan=True, empty=True)
row("math", "logsumexp", M, grad=True, nan=True, dtypes=WITH_INTEGERS)
row("math", "logsumexp:axis", M, axis=1, keepdims=True, grad=True)
IDS = T((6,), dtype="int32", values=[0, 2, 2, -1, 9, 3], open=False)
for _name in ("segment_sum", "segment_prod", "segment_max", "segment_min"):
    row("math", _name, T((6, 3), open=False), IDS, num_segments=5, dtypes=WITH_INTEGERS, grad=True)
row("math", "top_k", M, k=2, dtypes=WITH_INTEGERS, grad=True)
row("math", "in_top_k", T((3,), dtype="int32", values=[1, 0, 4]), T((3, 6)), k=2, dtypes=SINGLE)
SIGNAL = T((2, 40))
row("math", "extract_sequences", SIGNAL, sequence_length=7, sequence_stride=3, dtypes=WITH_INTEGERS, grad=True)
row("math", "fft", [SIGNAL, SIGNAL], dtypes=SINGLE, grad=True, tolerance=1e-4)
row("math", "fft2", [T((2, 4, 6)), T((2, 4, 6))], dtypes=SINGLE, grad=True, tolerance=1e-4)
row("math", "ifft2", [T((2, 4, 6)), T((2, 4, 6))], dtypes=SINGLE, grad=True, tolerance=1e-4)
row("math", "rfft", SIGNAL, dtypes=SINGLE, grad=True, tolerance=1e-4)
row("math", "rfft:length", SIGNAL, fft_length=21, dtypes=SINGLE, tolerance=1e-4)
row("math", "irfft", [SIGNAL, SIGNAL], dtypes=SINGLE, grad=True, tolerance=1e-4)
row("math", "irfft:length", [SIGNAL, SIGNAL], fft_length=33, dtypes=SINGLE, tolerance=1e-4)
_STFT = {"sequence_length": 10, "sequence_stride": 4, "fft_length": 16}
row("math", "stft", SIGNAL, **_STFT, dtypes=SINGLE, grad=True, tolerance=1e-4)
row("math", "stft:hamming", SIGNAL, **_STFT, window="hamming", center=False, dtypes=SINGLE, tolerance=1e-4)
row("math", "istft", [T((2, 8, 9)), T((2, 8, 9))], **_STFT, dtypes=SINGLE, tolerance=1e-3)
row("math", "istft:length", [T((2, 8, 9)), T((2, 8, 9))], **_STFT, length=30, dtypes=SINGLE, tolerance=1e-3)
row("math", "cdist", T((2, 3, 4)), T((2, 5, 4)), grad=True, tolerance=1e-4)
row("math", "view_as_complex", T((3, 2)), dtypes=SINGLE)
row("math", "view_as_real", T((3, 4), dtype="complex64", values=[[1 + 2j, 0, 3j, -1]] * 3), dtypes=SINGLE)
row("math", "logdet", T((2, 4, 4)), dtypes=SINGLE, grad=True, tolerance=1e-4)

# --- linear algebra ----------------------------------------------------------------------------------------------

SQUARE = T((2, 4, 4))
_positive = [[[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]] * 2
POSITIVE = T((2, 3, 3), values=_positive)
row("linalg", "cholesky", POSITIVE, dtypes=SINGLE, tolerance=1e-4)
row("linalg", "cholesky:upper", POSITIVE, upper=True, dtypes=SINGLE, tolerance=1e-4)
row(
    "linalg",
    "cholesky_inverse",
    T((3, 3), values=[[2.0, 0, 0], [0.5, 1.0, 0], [1.0, -1.0, 3.0]], open=False),
    dtypes=SINGLE,
    tolerance=1e-4,
)
row("linalg", "det", SQUARE, dtypes=SINGLE, grad=True, tolerance=1e-4)
row("linalg", "inv", SQUARE, dtypes=SINGLE, grad=True, tolerance=1e-3)
row("linalg", "pinv", T((2, 4, 3)), dtypes=SINGLE, tolerance=1e-3)
row("linalg", "lu_factor", SQUARE, dtypes=SINGLE, tolerance=1e-4)
row("linalg", "matrix_rank", SQUARE, dtypes=SINGLE)
row("linalg", "solve", SQUARE, T((2, 4, 3)), dtypes=SINGLE, grad=True, tolerance=1e-3)
row("linalg", "solve_triangular", SQUARE, T((2, 4, 3)), dtypes=SINGLE, grad=True, tolerance=1e-3)
row("linalg", "solve_triangular:lower", SQUARE, T((2, 4, 3)), lower=True, dtypes=SINGLE, tolerance=1e-3)
row("linalg", "lstsq", T((5, 3), open=False), T((5, 2), open=False), dtypes=SINGLE, tolerance=1e-3)
row("linalg", "svd", T((2, 4, 3)), dtypes=SINGLE)
row("linalg", "svd:values", T((2, 4, 3)), compute_uv=False, dtypes=SINGLE, tolerance=1e-4)
row("linalg", "qr", T((2, 4, 3)), dtypes=SINGLE)
row("linalg", "eigh", POSITIVE, dtypes=SINGLE)
row("linalg", "eig", SQUARE, dtypes=SINGLE)
row("linalg", "norm", T((2, 3, 4)), grad=True, dtypes=SINGLE)
for _order in (1, 2, 3, float("inf"), -1):
    row("linalg", f"norm:{_order}", T((2, 3, 4)), ord=_order, axis=-1, grad=True, dtypes=SINGLE, tolerance=1e-4)
for _order in ("fro", "nuc", 1, 2, -2, float("inf")):
    row(
        "linalg",
        f"norm:matrix {_order}",
        T((2, 3, 4)),
        ord=_order,
        axis=(0, 2),
        keepdims=True,
        dtypes=SINGLE,
        tolerance=1e-4,
    )

# --- images ------------------------------------------------------------------------------------------------------

PHOTO = T((2, 6, 8, 3), 0, 1)
for _method in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
    row(
        "image",
        f"resize:{_method}",
        PHOTO,
        size=(4, 11),
        interpolation=_method,
        dtypes=SINGLE,
        grad=True,
        tolerance=1e-4,
    )
row("image", "resize:antialias", PHOTO, size=(3, 4), antialias=True, dtypes=SINGLE, tolerance=1e-4)
row("image", "resize:crop", PHOTO, size=(4, 4), crop_to_aspect_ratio=True, dtypes=SINGLE, tolerance=1e-4)
row("image", "resize:pad", PHOTO, size=(4, 4), pad_to_aspect_ratio=True, fill_value=2.0, dtypes=SINGLE, tolerance=1e-4)
row(
    "image",
    "resize:bytes",
    T((6, 8, 3), dtype="uint8", values=[[[0, 90, 255]] * 8, [[9, 8, 7]] * 8] * 3),
    size=(3, 5),
    dtypes=SINGLE,
)
row("image", "rgb_to_grayscale", PHOTO, dtypes=SINGLE, grad=True)
row("image", "rgb_to_hsv", PHOTO, dtypes=SINGLE, grad=True)
row("image", "hsv_to_rgb", PHOTO, dtypes=SINGLE, grad=True)
row("image", "pad_images", PHOTO, top_padding=1, left_padding=2, target_height=9, target_width=12, dtypes=SINGLE)
row("image", "crop_images", PHOTO, top_cropping=1, left_cropping=2, bottom_cropping=1, right_cropping=0, dtypes=SINGLE)
row("image", "extract_patches", PHOTO, size=(2, 3), strides=(1, 2), padding="same", dtypes=SINGLE, grad=True)
row("image", "extract_patches:first", T((2, 3, 6, 8)), size=2, data_format="channels_first", dtypes=SINGLE)
row("image", "extract_patches_3d", T((1, 4, 4, 6, 2)), size=(2, 2, 3), strides=1, dtypes=SINGLE)
_TURN = [[0.9, 0.1, 0.3, -0.1, 1.1, 0.2, 0.0, 0.0]] * 2
for _mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
    row(
        "image",
        f"affine_transform:{_mode}",
        PHOTO,
        T((2, 8), values=_TURN),
        fill_mode=_mode,
        dtypes=SINGLE,
        tolerance=1e-4,
    )
    for _order in (0, 1):
        row(
            "image",
            f"map_coordinates:{_mode} {_order}",
            T((5, 6), open=False),
            T((2, 4, 3), -4, 9, open=False),
            order=_order,
            fill_mode=_mode,
            fill_value=0.5,
            dtypes=SINGLE,
            tolerance=1e-4,
        )
row("image", "affine_transform:whole", PHOTO, T((2, 8), values=_TURN), interpolation="nearest", dtypes=SINGLE)
_CORNERS = [[[0.0, 0.0], [7.0, 0.0], [0.0, 5.0], [7.0, 5.0]]] * 2
_MOVED = [[[0.5, 0.2], [6.0, 0.4], [0.3, 4.0], [7.0, 5.5]]] * 2
row(
    "image",
    "perspective_transform",
    PHOTO,
    T((2, 4, 2), values=_CORNERS),
    T((2, 4, 2), values=_MOVED),
    dtypes=SINGLE,
    tolerance=1e-3,
)
row("image", "sobel_edges", PHOTO, dtypes=SINGLE, grad=True)
row("image", "gaussian_blur", PHOTO, dtypes=SINGLE, grad=True)
row("image", "ssim", T((2, 14, 15, 3), 0, 1), T((2, 14, 15, 3), 0, 1), dtypes=SINGLE, tolerance=1e-3)
row(
    "image",
    "scale_and_translate",
    PHOTO,
    (2, 5, 9, 3),
    T((2,), values=[0.7, 1.3], open=False),
    T((2,), values=[0.2, -1.0], open=False),
    spatial_dims=(1, 2),
    method="linear",
    dtypes=SINGLE,
    tolerance=1e-4,
)
row("image", "elastic_transform", PHOTO, seed=1, dtypes=SINGLE)

# What has no single right answer: signs of vectors, random draws.
FREE = {"svd", "qr", "eigh", "eig", "elastic_transform"}
