"""Trains on two logical CPUs under MirroredStrategy and on one, and prints how far the results are apart, as JSON.

A program of its own, since TensorFlow splits a CPU into logical devices only before it is used.
"""

import json

import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

import hornbeam as keras  # noqa: E402

layers = keras.layers
random = np.random.RandomState(0)
X = random.randn(21, 3).astype("float32")
Y = (X[:, :1] * 2 + 1).astype("float32")
WEIGHTS = random.rand(21).astype("float32")


# one for all: TensorFlow mixes up the collective ops of several in one process
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def dense(**compile_arguments):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        layers.Dense(4, activation="tanh", kernel_regularizer="l2"), layers.Dense(1)
    ])
    model.compile(keras.optimizers.Adam(0.05, clipnorm=1.0), "mse", metrics=["mae"], **compile_arguments)
    return model


class OwnStep(keras.Model):
    """With a step in TensorFlow's own terms."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)
        self.tracker = keras.metrics.Mean(name="mine")

    def call(self, x, training=False):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.tracker.update_state(tf.reduce_mean(x), sample_weight=tf.cast(tf.shape(x)[0], "float32"))
        return {"mine": self.tracker.result()}


def own_step():
    keras.utils.set_random_seed(1)
    model = OwnStep()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


def trained(model, **fit_arguments):
    """All numbers that training, evaluation and prediction give."""
    arguments = {"batch_size": 10, "epochs": 2, "verbose": 0, **fit_arguments}
    history = model.fit(X, Y, **arguments).history  # the last batch has one row, for two replicas
    numbers = [value for name in sorted(history) for value in history[name]]
    numbers += list(np.ravel(model.predict(X, batch_size=10, verbose=0)))
    if "mine" not in history:
        numbers += list(np.ravel(model.evaluate(X, Y, batch_size=10, verbose=0)))
    return np.array(numbers + [one for weight in model.weights for one in np.ravel(weight.numpy())])


def apart(make, **fit_arguments):
    alone = trained(make(), **fit_arguments)
    with STRATEGY.scope():
        model = make()
    together = trained(model, **fit_arguments)
    kernel = model.trainable_variables[0]._handle
    assert len(kernel.values) == 2
    np.testing.assert_array_equal(kernel.values[0].numpy(), kernel.values[1].numpy())
    return float(np.abs(alone - together).max())


def own_loop():
    """A loop of the user's own: `strategy.run` in a `tf.function`."""

    def steps(run, count):
        model = own_step()
        model.build((None, 3))
        model.optimizer.build(model.trainable_variables)

        def step(x, y):
            with tf.GradientTape() as tape:
                loss = tf.nn.compute_average_loss(tf.reduce_sum((model(x) - y) ** 2, -1), global_batch_size=20)
            gradients = tape.gradient(loss, model.trainable_variables)
            model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        whole = tf.function(lambda x, y: run(step, x, y))
        losses = [float(whole(X[:20], Y[:20])) for _ in range(count)]
        return np.array([*losses, *np.ravel(model.trainable_variables[0].numpy())])

    def spread(step, x, y):
        def part(x, y):
            place = tf.distribute.get_replica_context().replica_id_in_sync_group
            return step(x[place * 10 : place * 10 + 10], y[place * 10 : place * 10 + 10])

        return STRATEGY.reduce("SUM", STRATEGY.run(part, args=(x, y)), axis=None)

    alone = steps(lambda step, x, y: step(x, y), 3)
    with STRATEGY.scope():
        together = steps(spread, 3)
    return float(np.abs(alone - together).max())


def statistics():
    """Batch normalisation sees the rows of its replica; the moving averages are the mean of those of all replicas."""
    with STRATEGY.scope():
        model = keras.Sequential([keras.Input((3,)), layers.BatchNormalization(momentum=0.0), layers.Dropout(0.5)])
        model.compile("sgd", "mse")
    model.fit(X[:20], X[:20], batch_size=20, epochs=1, shuffle=False, verbose=0)
    moving = model.layers[0].moving_variance
    halves = (X[:10].var(0) + X[10:20].var(0)) / 2
    return float(np.abs(moving.numpy() - halves).max())


def one_device():
    alone = trained(dense())
    with tf.distribute.OneDeviceStrategy("CPU:1").scope():
        model = dense()
    return float(np.abs(alone - trained(model)).max())


def from_dataset(distributed, steps=None, rows=21, **compile_arguments):
    """With a dataset that the strategy distributes, against the arrays."""
    def numbers(model, data, more, inputs):
        history = model.fit(data, validation_data=data, epochs=2, shuffle=False, verbose=0, **more).history
        found = [value for name in sorted(history) for value in history[name]]
        found += [*np.ravel(model.predict(inputs, verbose=0)), *model.evaluate(data, steps=steps, verbose=0)]
        return np.array(found + [one for weight in model.weights for one in np.ravel(weight.numpy())])

    x, y = X[:rows], Y[:rows]
    plain = tf.data.Dataset.from_tensor_slices((x, y)).batch(10)
    alone = numbers(dense(), plain, {}, tf.data.Dataset.from_tensor_slices(x).batch(10))
    with STRATEGY.scope():
        model = dense(**compile_arguments)
    data, inputs = distributed(lambda: tf.data.Dataset.from_tensor_slices((x, y))), x
    more = {} if steps is None else {"steps_per_epoch": steps, "validation_steps": steps}
    together = numbers(model, data, more, distributed(lambda: tf.data.Dataset.from_tensor_slices(inputs))
                       if steps is None else inputs)
    return float(np.abs(alone - together).max())


def whole(make):
    return STRATEGY.experimental_distribute_dataset(make().batch(10))


def in_parts(make):
    return STRATEGY.distribute_datasets_from_function(
        lambda context: make().batch(context.get_per_replica_batch_size(10))
    )


def endless(make):
    return STRATEGY.experimental_distribute_dataset(make().repeat().batch(10))


def refused():
    try:
        dense().fit(endless(lambda: tf.data.Dataset.from_tensor_slices((X, Y))), verbose=0)
    except ValueError as problem:
        return 0.0 if "steps_per_epoch" in str(problem) else 1.0
    return 1.0


print("RESULT " + json.dumps({
    "fit": apart(dense, validation_data=(X, Y)),
    "weighted": apart(dense, sample_weight=WEIGHTS),
    "eager": apart(lambda: dense(run_eagerly=True)),
    "own step": apart(own_step),
    "own loop": own_loop(),
    "statistics": statistics(),
    "one device": one_device(),
    "distributed dataset": from_dataset(whole),
    "datasets from a function": from_dataset(in_parts),
    "endless distributed dataset": from_dataset(endless, steps=2, rows=20),
    "endless without steps": refused(),
}))
