"""The ops of neural networks, as `keras.ops.nn` lists them; each is written in the file of its theme."""

from hornbeam.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from hornbeam.ops.attention import dot_product_attention
from hornbeam.ops.convolution import conv, conv_transpose, depthwise_conv, separable_conv
from hornbeam.ops.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from hornbeam.ops.encoding import multi_hot, one_hot
from hornbeam.ops.normalization import (
    batch_normalization,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
)
from hornbeam.ops.pooling import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool
