"""`hornbeam.layers`: all layers."""

from hornbeam.layers.activations.activations import ELU, LeakyReLU, PReLU, ReLU, Softmax
from hornbeam.layers.convolutional.conv import Conv1D, Conv2D, Conv3D
from hornbeam.layers.core.dense import Dense
from hornbeam.layers.core.embedding import Embedding
from hornbeam.layers.core.input_layer import Input, InputLayer
from hornbeam.layers.core.small import Activation, Identity, Lambda, Masking, Rescaling
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer
from hornbeam.layers.merging.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from hornbeam.layers.normalization.batch_normalization import BatchNormalization
from hornbeam.layers.normalization.layer_normalization import LayerNormalization
from hornbeam.layers.pooling.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from hornbeam.layers.pooling.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from hornbeam.layers.regularization.dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from hornbeam.layers.reshaping.reshaping import Flatten, Permute, RepeatVector, Reshape
from hornbeam.saving.lookup import make_registry_functions

_, serialize, deserialize = make_registry_functions("layer", "keras.layers")

# Keras's second names
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)

__all__ = [name for name in dir() if not name.startswith("_") and name != "make_registry_functions"]
