"""The table of ops: each name once, with the file that defines it, under the face of `keras.ops` that it belongs to.

The faces, the names that load late and the stubs for editors (`python -m tests.api.write_stubs`) all follow from it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

Table = Mapping[str, str]  # from file to the names that it defines

CORE: Table = {  # what is about tensors as such
    "core": """
        associative_scan cast cond convert_to_numpy convert_to_tensor custom_gradient dtype fori_loop is_tensor map
        saturate_cast scan scatter scatter_update shape slice slice_update stop_gradient switch unstack vectorized_map
        while_loop
    """,
}
NUMPY: Table = {  # `keras.ops.numpy`
    "arithmetic": """
        add divide divide_no_nan floor_divide fmax fmin fmod gcd heaviside lcm ldexp logaddexp logaddexp2 maximum
        minimum mod multiply nextafter power subtract true_divide
    """,
    "bitwise": """
        bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor left_shift
        right_shift
    """,
    "comparison": """
        equal greater greater_equal isfinite isinf isnan isneginf isposinf isreal less less_equal logical_and
        logical_not logical_or logical_xor not_equal signbit
    """,
    "core": "ndim size",
    "creation": """
        arange array copy empty empty_like eye full full_like geomspace identity linspace logspace ones ones_like tri
        zeros zeros_like
    """,
    "cumulative": "cumprod cumsum diff trapezoid",
    "elementwise": """
        abs absolute cbrt ceil clip conj conjugate exp exp2 expm1 fabs floor i0 imag log log1p log2 log10 nan_to_num
        negative real reciprocal round sign sqrt square trunc
    """,
    "indexing": """
        diag diagflat diagonal get_item nonzero select take take_along_axis trace tril triu unravel_index vander where
    """,
    "joining": "append array_split concatenate dsplit dstack hsplit hstack meshgrid split stack vsplit vstack",
    "missing": """
        nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile
        nanstd nansum nanvar
    """,
    "products": "cross dot einsum inner kron matmul outer slogdet tensordot vdot",
    "reductions": "all amax amin any argmax argmin count_nonzero max mean min prod ptp std sum var",
    "shaping": """
        broadcast_to expand_dims flip fliplr flipud moveaxis pad ravel repeat reshape roll rot90 squeeze swapaxes tile
        transpose view
    """,
    "sorting": "argpartition argsort digitize isin searchsorted sort unique",
    "statistics": """
        allclose average bincount corrcoef correlate histogram isclose median percentile quantile vectorize
    """,
    "tapers": "bartlett blackman hamming hanning kaiser",
    "trigonometry": """
        angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh cos cosh deg2rad hypot rad2deg sin sinc sinh tan tanh
    """,
}
NN: Table = {  # `keras.ops.nn`
    "activation": """
        celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax
        relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax
        squareplus swish tanh_shrink threshold
    """,
    "attention": "dot_product_attention",
    "convolution": "conv conv_transpose depthwise_conv separable_conv",
    "crossentropy": "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy",
    "encoding": "multi_hot one_hot",
    "normalization": "batch_normalization layer_normalization moments normalize rms_normalization",
    "patches": "depth_to_space fold polar psnr space_to_depth unfold",
    "pooling": "adaptive_average_pool adaptive_max_pool average_pool max_pool",
    "temporal": "ctc_decode ctc_loss",
}
LINALG: Table = {  # `keras.ops.linalg`
    "linalg": """
        cholesky cholesky_inverse det eig eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr solve solve_triangular
        svd
    """,
}
MATH: Table = {  # those whose nodes are called `keras.src.ops.math` in files
    "fourier": "extract_sequences fft fft2 ifft2 irfft istft rfft stft view_as_complex view_as_real",
    "linalg": "cdist logdet",
    "ranking": "in_top_k top_k",
    "segments": "segment_max segment_min segment_prod segment_sum",
    "special": "erf erfc erfinv logsumexp rsqrt",
}
IMAGE: Table = {  # `keras.ops.image`, which `keras.ops` itself does not have
    "image": """
        affine_transform crop_images elastic_transform extract_patches extract_patches_3d gaussian_blur hsv_to_rgb
        map_coordinates pad_images perspective_transform resize rgb_to_grayscale rgb_to_hsv scale_and_translate
        sobel_edges ssim
    """,
}
OTHERS: Table = {  # ours alone
    "patterns": "rearrange",
}


def homes(*tables: Table) -> dict[str, str]:
    """From each name to the module that defines it."""
    return {
        name: f"{_PACKAGE}.{home}" for table in tables for home, names in table.items() for name in names.split()
    }


def loaded(*tables: Table) -> dict[str, Any]:
    """From each name to the op itself."""
    return {
        name: getattr(importlib.import_module(f"{_PACKAGE}.{home}"), name)
        for table in tables
        for home, names in table.items()
        for name in names.split()
    }


_PACKAGE = __name__.rpartition(".")[0]
