"""Public names of Keras that hornbeam leaves out or shapes otherwise on purpose, each with the reason.

A row is checked by test_api.py: the name must be Keras's, and the gap must still be there.
"""

GAPS: dict[str, str] = {
    "keras.Layer": "the arguments are keyword-only in Keras as well, which its list does not record",
    "keras.layers.Layer": "the arguments are keyword-only in Keras as well, which its list does not record",
    "keras.ops.vectorize": "the options are keyword-only in Keras as well, which its list does not record",
    "keras.ops.numpy.vectorize": "the options are keyword-only in Keras as well, which its list does not record",
    "keras.optimizers.legacy.Adagrad": "older programs get a working optimizer, where Keras raises an ImportError",
    "keras.optimizers.legacy.Adam": "older programs get a working optimizer, where Keras raises an ImportError",
    "keras.optimizers.legacy.Ftrl": "older programs get a working optimizer, where Keras raises an ImportError",
    "keras.optimizers.legacy.Optimizer": "older programs get a working optimizer, where Keras raises an ImportError",
    "keras.optimizers.legacy.RMSprop": "older programs get a working optimizer, where Keras raises an ImportError",
    "keras.optimizers.legacy.SGD": "older programs get a working optimizer, where Keras raises an ImportError",
    "keras.preprocessing.image_dataset_from_directory": "the default format is hornbeam's, without TensorFlow",
    "keras.preprocessing.text_dataset_from_directory": "the default format is hornbeam's, without TensorFlow",
    "keras.preprocessing.timeseries_dataset_from_array": "the default format is hornbeam's, without TensorFlow",
    "keras.utils.image_dataset_from_directory": "the default format is hornbeam's, without TensorFlow",
    "keras.utils.text_dataset_from_directory": "the default format is hornbeam's, without TensorFlow",
    "keras.utils.timeseries_dataset_from_array": "the default format is hornbeam's, without TensorFlow",
}

# Ops that give something else than NumPy or Keras: "row/aspect" or "row/aspect/backend" of tests/conformance, with
# the reason. A row that passes after all fails the test, so the list cannot grow old.
OP_GAPS: dict[str, str] = {
    "argpartition/values/numpy": "which order the elements on either side of `kth` come in is free",
    "layer_normalization/nan/torch": "torch's own kernel meets overflow in its own way",
    "gelu:exact/nan/torch": "torch's own kernel gives NaN at infinity",
    "argpartition/values/torch": "which order the elements on either side of `kth` come in is free",
    "argpartition/values/tensorflow": "which order the elements on either side of `kth` come in is free",
    "histogram:range/int32": "the oracle, Keras on JAX, has its edge 0 at 6e-8; NumPy is right",
    "softmax/nan/tensorflow": "TensorFlow's kernel leaves NaN in its place instead of spreading it over the row",
    "logaddexp/promotion": "Keras widens half precision beside a Python float, unlike in all its other ops",
    "geomspace/spec/numpy": "abstract evaluation on NumPy uses zeros, between which there is no geometric series",
    "bincount/node": "Keras writes `weights=None` as configuration; here it is a tensor that was not given",
    "trapezoid/node": "Keras writes `x=None` as configuration; here it is a tensor that was not given",
    "trapezoid:dx/node": "Keras writes `x=None` as configuration; here it is a tensor that was not given",
    "sparsemax/values": "Keras's sparsemax does not sum to 1 in general; ours is the projection of the paper",
    "sparsemax/half": "as sparsemax/values",
    "sparsemax/gradient": "as sparsemax/values",
    "gaussian_blur/values": "Keras on JAX blurs across channels, not across rows: a constant image does not stay so",
    "gaussian_blur/gradient": "as gaussian_blur/values",
    "cholesky/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "cholesky:upper/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "cholesky_inverse/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "inv/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "solve/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "solve_triangular/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "solve_triangular:lower/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "perspective_transform/spec/numpy": "abstract evaluation on NumPy uses zeros, and a matrix of zeros is singular",
    "scale_and_translate/spec": "the batch of the result is given as a number, which contradicts an open batch",
}

# Rows of tests/conformance/layers_table.py that do not hold, "row" or "row/backend", with the reason.
LAYER_GAPS: dict[str, str] = {
    "Lambda/arguments/numpy": "a Python float times a bfloat16 array is float32 in NumPy itself",
}

# Rows of tests/conformance/layer_checks.py that differ from Keras by intent: "row/aspect" or "*/aspect/Layer", and why.
LAYER_ORACLE_GAPS: dict[str, str] = {
    **{
        f"{layer}/lora alpha/{aspect}": "Keras forgets `lora_alpha` when it builds"
        for layer in ("Dense", "Embedding")
        for aspect in ("outputs", "gradients", "config")
    },
    **{
        f"LayerNormalization/integers/{aspect}": "Keras rounds gamma and beta to the integers of the input"
        for aspect in ("outputs", "gradients")
    },
    **{
        f"{row}/symbolic": "Keras forgets a size of the inputs that its `output_shape` leaves open"
        for row in ("EinsumDense/heads", "EinsumDense/bias of heads", "EinsumDense/along steps", "EinsumDense/left",
                    "EinsumDense/everything", "EinsumDense/lora")
    },
    **{
        f"MultiHeadAttention/{row}/symbolic": "Keras gives the scores of keys the number of queries, or forgets axes"
        for row in ("scores", "attention_mask, scores", "key_mask, value_mask", "grid, scores", "grid, columns")
    },
    **{
        f"GroupedQueryAttention/everything/{aspect}": "Keras counts the activity of the outputs twice"
        for aspect in ("outputs", "gradients")
    },
    **{f"SimpleRNN/everything/{aspect}": "Keras forgets the activity regularizer of SimpleRNN"
       for aspect in ("outputs", "gradients", "config")},
    "SimpleRNN/dropout/config": "Keras forgets the seed of SimpleRNN",
    "LSTM/no kernel of the backend/config": "Keras forgets `use_cudnn`",
    "GRU/no kernel of the backend/config": "Keras forgets `use_cudnn`",
    **{f"ConvLSTM3D/mask/{aspect}": "Keras lets the mask broadcast along the wrong axes"
       for aspect in ("outputs", "gradients")},
    "MelSpectrogram/plain/symbolic": "Keras's shape rule takes the last but one axis for the batch",
    "*/config/TimeDistributed": "the layer inside is built for any batch, since steps are folded into it",
    "Bidirectional/two layers/symbolic": "Keras takes the backward layer to be as wide as the forward layer",
    **{
        f"Normalization{row}/{aspect}": "Keras takes no notice of `set_weights` until `finalize_state` is called"
        for row in ("", "/one axis", "/two axes", "/everything together")
        for aspect in ("outputs", "gradients")
    },
}

# Rows of the tables of layers that Keras itself cannot compute.
FAIL_IN_KERAS: dict[str, str] = {
    "Activation, float/integers": "the sigmoid of integers",
    **{f"ConvLSTM{rank}D/mask": "the mask does not broadcast against its states" for rank in (1, 2)},
    "MultiHeadAttention/value_dim": "values of another width than the keys, without scores",
}

# Rows of tests/layers/preprocessing/text_cases.py, "row/number of the input", where hornbeam differs on purpose.
TEXT_ORACLE_GAPS: dict[str, str] = {
    f"{row}/{number}": "Keras reduces the middle one of three axes, against its own shape rule"
    for row, number in [
        *(
            (f"{kind}/{mode}{suffix}", 4)
            for kind in ("string", "integer")
            for mode in ("multi_hot", "count", "tf_idf")
            for suffix in ("", "/adapted")
        ),
        ("hashing/one_hot", 3), ("string/multi_hot/padded", 4), ("string/tf_idf/padded", 4),
        ("hashing/multi_hot", 3), ("hashing/count", 3), ("category/multi_hot", 4), ("category/count", 4),
    ]
}  # fmt: skip

# Rows of tests/layers/preprocessing/image_cases.py where hornbeam differs on purpose: "row/aspect", "layer/*/aspect".
IMAGE_ORACLE_GAPS: dict[str, str] = {
    **{
        f"Resizing/{way} {kind}/bounding_boxes": "Keras forgets that the image is cut, or padded, on both sides"
        for way in ("crop", "pad")
        for kind in ("floats", "bytes", "first", "single")
    },
    **{
        f"CenterCrop/larger {kind}/segmentation_masks": "Keras interpolates between numbers of classes"
        for kind in ("floats", "bytes", "first", "single")
    },
    "RandomCrop/larger/segmentation_masks": "Keras interpolates between numbers of classes",
    **{
        f"RandomCrop/{kind}/bounding_boxes": "Keras exchanges the axes, and leaves what lies outside of the part"
        for kind in ("floats", "bytes", "first", "single")
    },
    "RandomShear/*/bounding_boxes": "Keras shears boxes in parts of the size, images in pixels",
    "RandomBrightness/bytes/images": "Keras rounds what it adds to bytes, where negative numbers wrap around",
    "AutoContrast/first/images": "Keras takes the last axis for the channels",
    "RandomSaturation/at 0.75/images": "Keras lets saturation exceed 1, and values leave their range",
    "RandomColorJitter/two/images": "Keras lets saturation exceed 1, and values leave their range",
    **{
        f"Equalization/{kind}/images": "Keras counts the values of all images of a batch together"
        for kind in ("floats", "bytes", "units", "gray", "first", "16 bins")
    },
    **{
        f"RandomGrayscale/{kind}/config": "Keras forgets the seed"
        for kind in ("floats", "bytes", "single", "first")
    },
    **{f"RandAugment/{kind} 1/bounding_boxes": "as RandomShear"
       for kind in ("floats", "bytes", "units", "single")},
    "AugMix/*/segmentation_masks": "Keras averages numbers of classes",
    **{f"AugMix/{kind}/images": "as Equalization" for kind in ("units", "few")},
    "CutMix/*/segmentation_masks": "Keras gives masks as many channels as images have",
    **{f"MixUp/{kind}/bounding_boxes": "Keras puts labels of boxes behind each other along the batch"
       for kind in ("floats", "bytes", "first")},
    "MixUp/*/segmentation_masks": "Keras averages numbers of classes",
}
