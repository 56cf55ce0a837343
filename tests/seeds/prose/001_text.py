"""Strings become sequences of word numbers, and one-hot encoded bigrams; and a model that takes strings itself."""

import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import TextVectorization

training_data = np.array([["This is the 1st sample."], ["And here's the 2nd sample."]])
words = TextVectorization(output_mode="int")
words.adapt(training_data)
numbers = keras.ops.convert_to_numpy(words(training_data))
assert numbers.shape == (2, 5) and numbers.min() >= 2 and numbers[0, 2] == numbers[1, 2]

bigrams = TextVectorization(output_mode="multi_hot", ngrams=2)
bigrams.adapt(training_data)
marks = keras.ops.convert_to_numpy(bigrams(training_data))
assert set(np.unique(marks)) == {0, 1} and marks.sum(1).tolist() == [9, 9]
assert "the 1st" in bigrams.get_vocabulary()

inputs = keras.Input((1,), dtype="string")
model = keras.Model(inputs, keras.layers.Dense(1)(bigrams(inputs)))
model.save("strings.keras")
again = keras.models.load_model("strings.keras")
np.testing.assert_allclose(again.predict(training_data), model.predict(training_data), rtol=1e-5)
