"""Training in a framework's own way: steps and loops written for Keras on TensorFlow, torch and JAX, unmodified.

Each trains the same small model, with statistics of a batch and dropout in it, and must come to the same weights and
figures as hornbeam's own `fit`.
"""

import functools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

pytestmark = needs_gradients

rng = np.random.default_rng(0)
X = rng.normal(size=(48, 5)).astype("float32")
Y = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0)
BATCHES = [(X[start : start + 12], Y[start : start + 12]) for start in range(0, 48, 12)]
EPOCHS = 3
LOGITS = {"from_logits": True}


def model(cls=keras.Model, compiled=True):
    """A small classifier, always with the same weights."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    x = layers.Dense(8, activation="tanh", kernel_regularizer="l2")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.25, seed=1)(x)
    made = cls(inputs, layers.Dense(3)(x))
    if compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(**LOGITS)
        made.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
    return made


def fitted(made):
    """The history of `fit` over the batches in order."""
    return made.fit(X, Y, batch_size=12, epochs=EPOCHS, shuffle=False, verbose=0).history


@functools.cache
def reference():
    """The weights and the history that are to be reached, and the results of an evaluation."""
    made = model()
    history = fitted(made)
    return made.get_weights(), history, made.evaluate(X, Y, batch_size=12, verbose=0)


def assert_trained_like_fit(made):
    for mine, wanted, variable in zip(made.get_weights(), reference()[0], made.weights, strict=True):
        if "seed" not in variable.path:
            np.testing.assert_allclose(mine, wanted, rtol=1e-4, atol=1e-5, err_msg=variable.path)


# --- steps of `fit` ------------------------------------------------------------------------------------------------


def tensorflow_steps():
    import tensorflow as tf

    class WithTape(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    class Older(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            variables = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            self.compiled_metrics.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    class Persistent(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape(persistent=True) as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            gradients = [tape.gradient(loss, variable) for variable in self.trainable_variables]
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"loss": loss}

    return {"tape": WithTape, "compiled_loss": Older, "persistent tape": Persistent}


def torch_steps():
    import torch

    class Backward(keras.Model):
        def train_step(self, data):
            x, y = data
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            loss.backward()
            trainable_weights = list(self.trainable_weights)
            gradients = [v.value.grad for v in trainable_weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    class Autograd(keras.Model):
        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(x, y, self(x, training=True))
            gradients = torch.autograd.grad(loss, [v.value for v in self.trainable_variables])
            self.optimizer.apply(list(gradients), self.trainable_variables)
            return {"loss": loss.detach()}

    class Native(keras.Model):
        """A torch optimizer, made when the parameters are there."""

        native = None

        def train_step(self, data):
            x, y = data
            if self.native is None:
                self.native = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
            self.native.zero_grad()
            loss = self.compute_loss(x, y, self(x, training=True))
            loss.backward()
            self.native.step()
            return {"loss": loss}

    return {"backward": Backward, "autograd.grad": Autograd, "torch.optim": Native}


def jax_steps():
    import jax

    class State(keras.Model):
        def loss_and_updates(self, trainable, non_trainable, metrics, x, y, training=False):
            y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=training)
            loss, (trainable, non_trainable, metrics) = self.stateless_compute_loss(
                trainable, non_trainable, metrics, x=x, y=y, y_pred=y_pred, training=training
            )
            return loss, (y_pred, non_trainable, metrics)

        def updated(self, metrics_variables, loss, y, y_pred):
            logs, new = {}, []
            for metric in self.metrics:
                own = metrics_variables[len(new) : len(new) + len(metric.variables)]
                if metric.name == "loss":
                    own = metric.stateless_update_state(own, loss)
                else:
                    own = metric.stateless_update_state(own, y, y_pred)
                logs[metric.name] = metric.stateless_result(own)
                new += own
            return logs, new

        def train_step(self, state, data):
            trainable, non_trainable, optimizer, metrics = state
            x, y = data
            compute = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable, metrics)), grads = compute(
                trainable, non_trainable, metrics, x, y, training=True
            )
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            logs, metrics = self.updated(metrics, loss, y, y_pred)
            return logs, (trainable, non_trainable, optimizer, metrics)

        def test_step(self, state, data):
            trainable, non_trainable, metrics = state
            x, y = data
            loss, (y_pred, non_trainable, metrics) = self.loss_and_updates(trainable, non_trainable, metrics, x, y)
            logs, metrics = self.updated(metrics, loss, y, y_pred)
            return logs, (trainable, non_trainable, metrics)

    class WithLosses(keras.Model):
        """The added losses come out of the stateless call."""

        def train_step(self, state, data):
            trainable, non_trainable, optimizer, metrics = state
            x, y = data
            loss_fn = keras.losses.SparseCategoricalCrossentropy(**LOGITS)

            def compute(trainable):
                y_pred, new, losses = self.stateless_call(
                    trainable, non_trainable, x, training=True, return_losses=True
                )
                return loss_fn(y, y_pred) + sum(losses), new

            (loss, new), grads = jax.value_and_grad(compute, has_aux=True)(trainable)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            return {"loss": loss}, (trainable, new, optimizer, metrics)

    return {"state": State, "return_losses": WithLosses}


STEPS = {
    "tensorflow": ["tape", "compiled_loss", "persistent tape"],
    "torch": ["backward", "autograd.grad", "torch.optim"],
    "jax": ["state", "return_losses"],
}.get(backend.name, [])


def step_class(name):
    return {"tensorflow": tensorflow_steps, "torch": torch_steps, "jax": jax_steps}[backend.name]()[name]


@pytest.mark.parametrize("name", STEPS)
def test_train_step(name):
    made = model(step_class(name))
    history = fitted(made)
    assert_trained_like_fit(made)
    wanted, evaluated = reference()[1:]
    if "accuracy" in history:
        np.testing.assert_allclose(history["accuracy"], wanted["accuracy"], rtol=1e-5)
    if len(history) > 1 and name != "compiled_loss":  # which counts the compiled part alone
        np.testing.assert_allclose(history["loss"], wanted["loss"], rtol=1e-4)
    np.testing.assert_allclose(made.evaluate(X, Y, batch_size=12, verbose=0), evaluated, rtol=1e-4)


@pytest.mark.skipif(backend.name == "jax", reason="test_steps.py has the form of JAX run every way")
@pytest.mark.parametrize("way", [{"run_eagerly": True}, {"steps_per_execution": 2}], ids=str)
@pytest.mark.parametrize("name", STEPS[:1])
def test_train_step_runs_every_way(name, way):
    made = model(step_class(name))
    made.compile(made.optimizer, made.loss, metrics=["accuracy"], **way)
    fitted(made)
    assert_trained_like_fit(made)


# --- loops from scratch --------------------------------------------------------------------------------------------


def tensorflow_loop(made, compiled, apply):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(12)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(**LOGITS)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    total = keras.metrics.Mean()

    def train_step(x, y):
        with tf.GradientTape() as tape:
            logits = made(x, training=True)
            loss = loss_fn(y, logits)
            loss += sum(made.losses)
        gradients = tape.gradient(loss, made.trainable_weights)
        if apply == "apply":
            optimizer.apply(gradients, made.trainable_weights)
        else:
            optimizer.apply_gradients(zip(gradients, made.trainable_weights))
        accuracy.update_state(y, logits)
        total.update_state(loss)
        return loss

    step = tf.function(train_step) if compiled == "function" else train_step
    for _ in range(EPOCHS):
        for x, y in dataset:
            step(x, y)
        found = float(total.result()), float(accuracy.result())
        accuracy.reset_state()
        total.reset_states()
    return found


def torch_loop(made, compiled, apply):
    import torch

    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    loader = torch.utils.data.DataLoader(data, batch_size=12, shuffle=False)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    total = keras.metrics.Mean()
    native = torch.optim.SGD(made.parameters(), lr=0.1, momentum=0.9)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    loss_fn = torch.nn.CrossEntropyLoss() if apply == "native" else keras.losses.SparseCategoricalCrossentropy(**LOGITS)
    for _ in range(EPOCHS):
        accuracy.reset_state()
        total.reset_state()
        for x, y in loader:
            if apply == "native":
                logits = made(x, training=True)
                loss = loss_fn(logits, y) + sum(made.losses)
                native.zero_grad()
                loss.backward()
                native.step()
            else:
                logits = made(x, training=True)
                loss = loss_fn(y, logits) + sum(made.losses)
                made.zero_grad()
                trainable_weights = list(made.trainable_weights)
                loss.backward()
                gradients = [v.value.grad for v in trainable_weights]
                with torch.no_grad():
                    if apply == "apply":
                        optimizer.apply(gradients, trainable_weights)
                    else:
                        optimizer.apply_gradients(zip(gradients, trainable_weights, strict=True))
            accuracy.update_state(y, logits)
            total.update_state(loss.detach())
    return float(total.result()), float(accuracy.result())


def jax_loop(made, compiled, apply):
    import jax

    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(**LOGITS)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    total = keras.metrics.Mean()
    optimizer.build(made.trainable_variables)

    def compute_loss_and_updates(trainable, non_trainable, x, y):
        logits, non_trainable, losses = made.stateless_call(
            trainable, non_trainable, x, training=True, return_losses=True
        )
        return loss_fn(y, logits) + sum(losses), (logits, non_trainable)

    compute = jax.value_and_grad(compute_loss_and_updates, has_aux=True)

    def train_step(state, x, y):
        trainable, non_trainable, optimizer_variables, accuracy_variables, total_variables = state
        (loss, (logits, non_trainable)), grads = compute(trainable, non_trainable, x, y)
        if apply == "apply":
            trainable, optimizer_variables = optimizer.stateless_apply(optimizer_variables, grads, trainable)
        accuracy_variables = accuracy.stateless_update_state(accuracy_variables, y, logits)
        total_variables = total.stateless_update_state(total_variables, loss)
        return loss, (trainable, non_trainable, optimizer_variables, accuracy_variables, total_variables)

    step = jax.jit(train_step) if compiled == "function" else train_step
    state = (
        made.trainable_variables,
        made.non_trainable_variables,
        optimizer.variables,
        accuracy.variables,
        total.variables,
    )
    for _ in range(EPOCHS):
        state = (*state[:3], accuracy.stateless_reset_state(), total.stateless_reset_state())
        for x, y in BATCHES:
            _, state = step(state, x, y)
    trainable, non_trainable, _, accuracy_variables, total_variables = state
    for variable, value in zip(made.trainable_variables, trainable, strict=True):
        variable.assign(value)
    for variable, value in zip(made.non_trainable_variables, non_trainable, strict=True):
        variable.assign(value)
    return float(total.stateless_result(total_variables)), float(accuracy.stateless_result(accuracy_variables))


# (how the step is run, how gradients are applied)
LOOPS = {
    "tensorflow": [("eager", "apply_gradients"), ("function", "apply"), ("function", "apply_gradients")],
    "torch": [("eager", "native"), ("eager", "apply"), ("eager", "apply_gradients")],
    "jax": [("eager", "apply"), ("function", "apply")],
}.get(backend.name, [])


@pytest.mark.parametrize(("compiled", "apply"), LOOPS)
def test_loop_from_scratch(compiled, apply):
    made = model(compiled=False)
    loop = {"tensorflow": tensorflow_loop, "torch": torch_loop, "jax": jax_loop}[backend.name]
    loss, accuracy = loop(made, compiled, apply)
    assert_trained_like_fit(made)
    history = reference()[1]
    assert loss == pytest.approx(history["loss"][-1], rel=1e-4)
    assert accuracy == pytest.approx(history["accuracy"][-1], rel=1e-5)


@pytest.mark.skipif(backend.name != "jax", reason="raw JAX")
def test_functions_of_jax_take_variables():
    import jax
    import jax.numpy as jnp

    v, w = keras.Variable([1.0, 2.0]), keras.Variable(3.0)

    def loss(variables, x):
        return jnp.sum(variables["v"] * x) * variables["w"]

    given = {"v": v, "w": w}
    for function in (loss, jax.jit(loss), jax.checkpoint(loss)):
        assert float(function(given, jnp.ones(2))) == 9.0
    slopes = jax.jit(jax.grad(loss))(given, jnp.ones(2))
    assert slopes["v"].tolist() == [3, 3] and float(slopes["w"]) == 3.0
    assert jnp.sin(v).shape == (2,) and jnp.add(v, w).tolist() == [4, 5]
    assert [float(one) for one in jax.tree.leaves(jax.tree.map(jnp.sum, given))] == [3, 3]
    assert jax.vmap(lambda one: one * 2)(v).tolist() == [2, 4]
    with keras.GradientTape() as tape:
        y = jax.jit(lambda one: jnp.sum(one**2))(v)
    assert tape.gradient(y, v).tolist() == [2, 4]
    assert v.numpy().tolist() == [1, 2]
