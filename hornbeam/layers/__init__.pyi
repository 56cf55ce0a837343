"""`hornbeam.layers` for type checkers and editors, which cannot see names that load on first touch."""

from collections.abc import Mapping
from typing import Any

from hornbeam.layers.activations.activations import (
    ELU as ELU,
    LeakyReLU as LeakyReLU,
    PReLU as PReLU,
    ReLU as ReLU,
    Softmax as Softmax,
)
from hornbeam.layers.attention.attention import AdditiveAttention as AdditiveAttention, Attention as Attention
from hornbeam.layers.attention.group_query_attention import GroupQueryAttention as GroupQueryAttention
from hornbeam.layers.attention.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from hornbeam.layers.convolutional.conv import (
    Conv1D as Conv1D,
    Conv2D as Conv2D,
    Conv3D as Conv3D,
    Convolution1D as Convolution1D,
    Convolution2D as Convolution2D,
    Convolution3D as Convolution3D,
)
from hornbeam.layers.convolutional.conv_transpose import (
    Conv1DTranspose as Conv1DTranspose,
    Conv2DTranspose as Conv2DTranspose,
    Conv3DTranspose as Conv3DTranspose,
    Convolution1DTranspose as Convolution1DTranspose,
    Convolution2DTranspose as Convolution2DTranspose,
    Convolution3DTranspose as Convolution3DTranspose,
)
from hornbeam.layers.convolutional.depthwise_conv import (
    DepthwiseConv1D as DepthwiseConv1D,
    DepthwiseConv2D as DepthwiseConv2D,
    SeparableConv1D as SeparableConv1D,
    SeparableConv2D as SeparableConv2D,
    SeparableConvolution1D as SeparableConvolution1D,
    SeparableConvolution2D as SeparableConvolution2D,
)
from hornbeam.layers.core.dense import Dense as Dense
from hornbeam.layers.core.einsum_dense import EinsumDense as EinsumDense
from hornbeam.layers.core.embedding import Embedding as Embedding
from hornbeam.layers.core.input_layer import Input as Input, InputLayer as InputLayer
from hornbeam.layers.core.reversible_embedding import ReversibleEmbedding as ReversibleEmbedding
from hornbeam.layers.core.small import (
    Activation as Activation,
    Identity as Identity,
    Lambda as Lambda,
    Masking as Masking,
    Rescaling as Rescaling,
)
from hornbeam.layers.core.wrapper import Wrapper as Wrapper
from hornbeam.layers.foreign.flax_layer import FlaxLayer as FlaxLayer
from hornbeam.layers.foreign.jax_layer import JaxLayer as JaxLayer
from hornbeam.layers.foreign.tfsm_layer import TFSMLayer as TFSMLayer
from hornbeam.layers.foreign.torch_module_wrapper import TorchModuleWrapper as TorchModuleWrapper
from hornbeam.layers.input_spec import InputSpec as InputSpec
from hornbeam.layers.layer import Layer as Layer
from hornbeam.layers.merging.merging import (
    Add as Add,
    Average as Average,
    Concatenate as Concatenate,
    Dot as Dot,
    Maximum as Maximum,
    Minimum as Minimum,
    Multiply as Multiply,
    Subtract as Subtract,
    add as add,
    average as average,
    concatenate as concatenate,
    dot as dot,
    maximum as maximum,
    minimum as minimum,
    multiply as multiply,
    subtract as subtract,
)
from hornbeam.layers.normalization.batch_normalization import BatchNormalization as BatchNormalization
from hornbeam.layers.normalization.group_normalization import GroupNormalization as GroupNormalization
from hornbeam.layers.normalization.layer_normalization import LayerNormalization as LayerNormalization
from hornbeam.layers.normalization.small import (
    RMSNormalization as RMSNormalization,
    UnitNormalization as UnitNormalization,
)
from hornbeam.layers.normalization.spectral_normalization import SpectralNormalization as SpectralNormalization
from hornbeam.layers.pooling.adaptive_pooling import (
    AdaptiveAveragePooling1D as AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D as AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D as AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D as AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D as AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D as AdaptiveMaxPooling3D,
)
from hornbeam.layers.pooling.global_pooling import (
    GlobalAveragePooling1D as GlobalAveragePooling1D,
    GlobalAveragePooling2D as GlobalAveragePooling2D,
    GlobalAveragePooling3D as GlobalAveragePooling3D,
    GlobalAvgPool1D as GlobalAvgPool1D,
    GlobalAvgPool2D as GlobalAvgPool2D,
    GlobalAvgPool3D as GlobalAvgPool3D,
    GlobalMaxPool1D as GlobalMaxPool1D,
    GlobalMaxPool2D as GlobalMaxPool2D,
    GlobalMaxPool3D as GlobalMaxPool3D,
    GlobalMaxPooling1D as GlobalMaxPooling1D,
    GlobalMaxPooling2D as GlobalMaxPooling2D,
    GlobalMaxPooling3D as GlobalMaxPooling3D,
)
from hornbeam.layers.pooling.pooling import (
    AveragePooling1D as AveragePooling1D,
    AveragePooling2D as AveragePooling2D,
    AveragePooling3D as AveragePooling3D,
    AvgPool1D as AvgPool1D,
    AvgPool2D as AvgPool2D,
    AvgPool3D as AvgPool3D,
    MaxPool1D as MaxPool1D,
    MaxPool2D as MaxPool2D,
    MaxPool3D as MaxPool3D,
    MaxPooling1D as MaxPooling1D,
    MaxPooling2D as MaxPooling2D,
    MaxPooling3D as MaxPooling3D,
)
from hornbeam.layers.preprocessing.category_encoding import CategoryEncoding as CategoryEncoding
from hornbeam.layers.preprocessing.discretization import Discretization as Discretization
from hornbeam.layers.preprocessing.hashing import HashedCrossing as HashedCrossing, Hashing as Hashing
from hornbeam.layers.preprocessing.images.colours import (
    RandomBrightness as RandomBrightness,
    RandomColorDegeneration as RandomColorDegeneration,
    RandomColorJitter as RandomColorJitter,
    RandomContrast as RandomContrast,
    RandomGrayscale as RandomGrayscale,
    RandomHue as RandomHue,
    RandomInvert as RandomInvert,
    RandomPosterization as RandomPosterization,
    RandomSaturation as RandomSaturation,
    Solarization as Solarization,
)
from hornbeam.layers.preprocessing.images.contrast import (
    AutoContrast as AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
    Equalization as Equalization,
)
from hornbeam.layers.preprocessing.images.filters import (
    RandomErasing as RandomErasing,
    RandomGaussianBlur as RandomGaussianBlur,
    RandomSharpness as RandomSharpness,
)
from hornbeam.layers.preprocessing.images.mixing import (
    CutMix as CutMix,
    MaxNumBoundingBoxes as MaxNumBoundingBoxes,
    MixUp as MixUp,
)
from hornbeam.layers.preprocessing.images.moving import (
    RandomFlip as RandomFlip,
    RandomRotation as RandomRotation,
    RandomShear as RandomShear,
    RandomTranslation as RandomTranslation,
    RandomZoom as RandomZoom,
)
from hornbeam.layers.preprocessing.images.policies import (
    AugMix as AugMix,
    Pipeline as Pipeline,
    RandAugment as RandAugment,
)
from hornbeam.layers.preprocessing.images.sizes import (
    CenterCrop as CenterCrop,
    RandomCrop as RandomCrop,
    Resizing as Resizing,
)
from hornbeam.layers.preprocessing.images.warping import (
    RandomElasticTransform as RandomElasticTransform,
    RandomPerspective as RandomPerspective,
)
from hornbeam.layers.preprocessing.integer_lookup import IntegerLookup as IntegerLookup
from hornbeam.layers.preprocessing.normalization import Normalization as Normalization
from hornbeam.layers.preprocessing.spectrograms import (
    MelSpectrogram as MelSpectrogram,
    STFTSpectrogram as STFTSpectrogram,
)
from hornbeam.layers.preprocessing.string_lookup import StringLookup as StringLookup
from hornbeam.layers.preprocessing.text_vectorization import TextVectorization as TextVectorization
from hornbeam.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from hornbeam.layers.recurrent.conv_lstm import (
    ConvLSTM1D as ConvLSTM1D,
    ConvLSTM2D as ConvLSTM2D,
    ConvLSTM3D as ConvLSTM3D,
)
from hornbeam.layers.recurrent.gru import GRU as GRU, GRUCell as GRUCell
from hornbeam.layers.recurrent.lstm import LSTM as LSTM, LSTMCell as LSTMCell
from hornbeam.layers.recurrent.rnn import RNN as RNN
from hornbeam.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN, SimpleRNNCell as SimpleRNNCell
from hornbeam.layers.recurrent.stacked_rnn_cells import StackedRNNCells as StackedRNNCells
from hornbeam.layers.recurrent.time_distributed import TimeDistributed as TimeDistributed
from hornbeam.layers.regularization.dropout import (
    Dropout as Dropout,
    SpatialDropout1D as SpatialDropout1D,
    SpatialDropout2D as SpatialDropout2D,
    SpatialDropout3D as SpatialDropout3D,
)
from hornbeam.layers.regularization.noise import (
    ActivityRegularization as ActivityRegularization,
    AlphaDropout as AlphaDropout,
    GaussianDropout as GaussianDropout,
    GaussianNoise as GaussianNoise,
)
from hornbeam.layers.reshaping.padding import (
    Cropping1D as Cropping1D,
    Cropping2D as Cropping2D,
    Cropping3D as Cropping3D,
    UpSampling1D as UpSampling1D,
    UpSampling2D as UpSampling2D,
    UpSampling3D as UpSampling3D,
    ZeroPadding1D as ZeroPadding1D,
    ZeroPadding2D as ZeroPadding2D,
    ZeroPadding3D as ZeroPadding3D,
)
from hornbeam.layers.reshaping.reshaping import (
    Flatten as Flatten,
    Permute as Permute,
    RepeatVector as RepeatVector,
    Reshape as Reshape,
)

def serialize(obj: Any) -> Any: ...
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any: ...
