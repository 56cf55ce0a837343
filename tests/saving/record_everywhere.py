"""Writes the models of `test_everywhere.py` and what they predict: `python -m tests.saving.record_everywhere`."""

from pathlib import Path

import numpy as np

import hornbeam as keras

layers = keras.layers
FOLDER = Path(__file__).with_name("everywhere")


def convnet():
    inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Add()([x, layers.SeparableConv2D(6, 3, padding="same", activation="swish")(x)])
    x = layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2)(x)
    x = layers.Conv2DTranspose(4, 2, strides=2, activation="elu")(x)
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(x))


def transformer():
    inputs = keras.Input((7,), dtype="int32")
    x = layers.Embedding(20, 8, mask_zero=True)(inputs)
    for causal in (False, True):
        normal = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 4)(normal, normal, use_causal_mask=causal)])
        x = layers.Add()([x, layers.Dense(8)(layers.Dense(16, activation="gelu")(layers.LayerNormalization()(x)))])
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def recurrent():
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(20, 5, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    x = layers.Bidirectional(layers.GRU(3), merge_mode="sum")(x)
    return keras.Model(inputs, layers.Dense(2)(x))


def text():
    vectorize = layers.TextVectorization(output_sequence_length=5, ngrams=2)
    vectorize.adapt(["the red fox", "A blue, blue dog!", "the dog"])
    inputs = keras.Input((), dtype="string")
    x = layers.Embedding(vectorize.vocabulary_size(), 4)(vectorize(inputs))
    return keras.Model(inputs, layers.Dense(2, activation="tanh")(layers.Flatten()(x)))


def data():
    random = np.random.RandomState(0)
    words = random.randint(1, 20, (4, 7))
    words[:, 5:] = 0
    return {
        "convnet": random.randn(4, 12, 12, 3).astype("float32"),
        "transformer": words.astype("int32"),
        "recurrent": words[:, :6].astype("int32"),
        "text": np.array(["the blue fox", "red DOG", "nothing known here", ""]),
    }


MODELS = {"convnet": convnet, "transformer": transformer, "recurrent": recurrent, "text": text}


def main():
    FOLDER.mkdir(exist_ok=True)
    inputs = data()
    for name, make in MODELS.items():
        keras.utils.set_random_seed(1)
        model = make()
        random = np.random.RandomState(2)
        # statistics and biases that are not what they start as; variances stay positive
        model.set_weights([
            np.abs(one) + 0.1 * random.rand(*one.shape) if one.ndim == 1 else one * 1.5 for one in model.get_weights()
        ])
        model.save(FOLDER / f"{name}.keras")
        np.savez_compressed(
            FOLDER / f"{name}.npz", inputs=inputs[name], outputs=model.predict(inputs[name], verbose=0)
        )


if __name__ == "__main__":
    main()
