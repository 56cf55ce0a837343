"""Knowledge distillation: a small network learns from the softened answers of a large one.

Run: python examples/distillation.py [--epochs 15]. The digits come with scikit-learn.
G. Hinton et al., "Distilling the knowledge in a neural network", 2015.
"""

from __future__ import annotations

import argparse

import numpy as np

import hornbeam as keras
from hornbeam import layers, ops


class Student(keras.Model):
    """A network that learns from labels and from a teacher, which stays as it is."""

    def __init__(self, teacher: keras.Model, temperature: float = 3.0, share: float = 0.7) -> None:
        super().__init__()
        self.teacher, self.temperature, self.share = teacher, temperature, share
        self.teacher.trainable = False
        self.network = keras.Sequential([keras.Input((64,)), layers.Dense(12, "relu"), layers.Dense(10)])

    def call(self, images):
        return self.network(images)

    def loss_of(self, images, labels, logits):
        """Cross-entropy with the labels, and with what the teacher says at a high temperature."""
        soft = ops.softmax(ops.stop_gradient(self.teacher(images, training=False)) / self.temperature)
        distance = ops.mean(ops.categorical_crossentropy(soft, logits / self.temperature, from_logits=True))
        return (1 - self.share) * self.compute_loss(images, labels, logits) + (
            self.share * self.temperature**2 * distance
        )

    def train_step(self, data):
        images, labels = data

        def loss_fn():
            logits = self(images, training=True)
            return self.loss_of(images, labels, logits), logits

        (loss, logits), gradients = keras.value_and_grad(loss_fn, self.trainable_variables, has_aux=True)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.compute_metrics(images, labels, logits) | {"loss": loss}


def make(teacher_epochs: int) -> tuple[Student, np.ndarray, np.ndarray]:
    """The student with a teacher that was trained for some epochs, and the digits."""
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(0)
    digits = load_digits()
    x, y = (digits.data / 16).astype("float32"), digits.target.astype("int32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher = keras.Sequential([keras.Input((64,)), layers.Dense(128, "relu"), layers.Dense(10)])
    teacher.compile(keras.optimizers.Adam(3e-3), loss=loss)
    if teacher_epochs:
        teacher.fit(x[:1200], y[:1200], epochs=teacher_epochs, verbose=0)
    student = Student(teacher)
    student.compile(keras.optimizers.Adam(5e-3), loss=loss, metrics=["accuracy"])
    return student, x, y


def first_gradients() -> list:
    """The gradients of the first loss, for tests."""
    student, x, y = make(0)
    images, labels = ops.convert_to_tensor(x[:32]), ops.convert_to_tensor(y[:32])
    return keras.grad(lambda: student.loss_of(images, labels, student(images)), student.trainable_variables)


def main(epochs: int = 15) -> float:
    """Trains; gives the accuracy of the student on digits that it has not seen."""
    student, x, y = make(15)
    student.fit(x[:1200], y[:1200], epochs=epochs, verbose=2)
    accuracy = float(np.mean(student.predict(x[1200:], verbose=0).argmax(axis=1) == y[1200:]))
    print(f"accuracy: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    main(parser.parse_args().epochs)
