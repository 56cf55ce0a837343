"""Mistakes in steps of one's own, in the form of each framework: the error says what to do, and nothing has changed."""

import re

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops
from hornbeam.backend import active as backend
from tests.needs import needs_gradients

pytestmark = needs_gradients

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X[:, :1]


def model(step, **arguments):
    """A model whose class has one method: the step."""
    inputs = keras.Input((3,))
    made = type("Mine", (keras.Model,), {"train_step": step})(inputs, layers.Dense(1)(layers.Dense(4)(inputs)))
    made.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **arguments})
    return made


def loss_of(self, data):
    x, y = data
    return self.compute_loss(x, y, self(x, training=True))


def applied(self, gradients):
    self.optimizer.apply(gradients, self.trainable_variables)


# --- what every backend has ----------------------------------------------------------------------------------------


def gives_nothing(self, data):
    loss_of(self, data)


def gives_a_tensor(self, data):
    return loss_of(self, data)


def gives_many_losses(self, data):
    x, y = data
    return {"loss": ops.square(y - self(x))}


def gives_a_text(self, data):
    return {"loss": loss_of(self, data), "note": "done"}


def gives_none_by_name(self, data):
    return {"loss": None}


def loss_has_axes(self, data):
    x, y = data
    keras.value_and_grad(lambda: ops.square(y - self(x)), self.trainable_variables)


def loss_is_computed_before(self, data):
    keras.value_and_grad(loss_of(self, data), self.trainable_variables)


def loss_is_not_returned(self, data):
    def loss_fn():
        loss_of(self, data)

    keras.value_and_grad(loss_fn, self.trainable_variables)


def no_aux(self, data):
    keras.value_and_grad(lambda: loss_of(self, data), self.trainable_variables, has_aux=True)


def values_for_variables(self, data):
    keras.value_and_grad(lambda: loss_of(self, data), [one.value for one in self.trainable_variables])


def pairs_to_apply(self, data):
    _, gradients = keras.value_and_grad(lambda: loss_of(self, data), self.trainable_variables)
    self.optimizer.apply(zip(gradients, self.trainable_variables, strict=True))


def the_other_way_round(self, data):
    _, gradients = keras.value_and_grad(lambda: loss_of(self, data), self.trainable_variables)
    self.optimizer.apply(self.trainable_variables, gradients)


def too_few_gradients(self, data):
    _, gradients = keras.value_and_grad(lambda: loss_of(self, data), self.trainable_variables)
    applied(self, gradients[1:])


def forward_before_the_tape(self, data):
    x, y = data
    y_pred = self(x)
    with keras.GradientTape() as tape:
        loss = self.compute_loss(x, y, y_pred)
    applied(self, tape.gradient(loss, self.trainable_variables))


def predictions_in_place_of_targets(self, data):
    x, y = data
    return {"loss": self.compute_loss(y, self(x))}


def no_optimizer(self, data):
    _, gradients = keras.value_and_grad(lambda: loss_of(self, data), self.trainable_variables)
    applied(self, gradients)
    return {}


MISTAKES = {
    gives_nothing: (TypeError, r"Mine.train_step returns: expected a dict .* got None .*Return for example"),
    gives_a_tensor: (TypeError, r"Mine.train_step returns: expected a dict .*Return for example"),
    gives_many_losses: (ValueError, r"one number as 'loss', got .*shape=\(4, 1\).*ops.mean"),
    gives_a_text: (TypeError, r"a number or a tensor as 'note', got 'done'"),
    gives_none_by_name: (TypeError, r"a number or a tensor as 'loss', got None"),
    loss_has_axes: (ValueError, r"a scalar, got shape=\(4, 1\).*ops.mean"),
    loss_is_computed_before: (TypeError, r"a function that computes the value.*lambda"),
    loss_is_not_returned: (TypeError, r"a function that gives a scalar, got None. Return the loss"),
    no_aux: (ValueError, r"\(value, aux\)"),
    values_for_variables: (TypeError, r"value_and_grad: expected variables"),
    pairs_to_apply: (TypeError, r"expected gradients, got pairs.*apply_gradients"),
    the_other_way_round: (TypeError, r"apply of optimizer .*expected variables"),
    too_few_gradients: (ValueError, r"4 gradients, one for each variable, got 3"),
    forward_before_the_tape: ((RuntimeError, ValueError), r"computed on the tape|Does the loss depend on them"),
    predictions_in_place_of_targets: (ValueError, r"as y_pred, got None.*compute_loss\(x, y, y_pred"),
    no_optimizer: (AttributeError, r"no optimizer: give one to compile"),
}


def said(problem):
    """The text of an error with its notes, on one line."""
    return " ".join([str(problem), *getattr(problem, "__notes__", [])])


def assert_teaches(step, error, text, **arguments):
    made = model(step, **arguments)
    before = made.get_weights()
    with pytest.raises(error) as caught:
        made.fit(X, Y, batch_size=4, verbose=0)
    assert re.search(text, said(caught.value), re.DOTALL), said(caught.value)
    for mine, wanted in zip(made.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, wanted)


@pytest.mark.parametrize("step", MISTAKES, ids=lambda step: step.__name__)
def test_mistake(step):
    assert_teaches(step, *MISTAKES[step], **({"optimizer": None} if step is no_optimizer else {}))


# --- values while a step is followed -------------------------------------------------------------------------------


def number_of_a_tensor(self, data):
    return {"loss": float(loss_of(self, data))}


def branch_on_a_tensor(self, data):
    loss = loss_of(self, data)
    return {"loss": loss if loss > 0 else -loss}


def through_numpy(self, data):
    return {"loss": np.mean(np.asarray(loss_of(self, data)))}


@pytest.mark.skipif(not backend.compile_default, reason="steps run eagerly here, and tensors have values")
@pytest.mark.parametrize(
    "step", [number_of_a_tensor, branch_on_a_tensor, through_numpy], ids=lambda step: step.__name__
)
def test_values_that_are_not_there_yet(step):
    assert_teaches(step, Exception, "tensors have no values yet.*hornbeam.ops.*run_eagerly=True")
    model(step, run_eagerly=True).fit(X, Y, batch_size=4, verbose=0)


# --- the form of another framework, and mistakes in one's own ------------------------------------------------------


def tensorflow_form(self, data):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = loss_of(self, data)
    applied(self, tape.gradient(loss, self.trainable_variables))
    return {"loss": loss}


def torch_form(self, data):
    self.zero_grad()
    loss = loss_of(self, data)
    loss.backward()
    applied(self, [one.value.grad for one in self.trainable_variables])
    return {"loss": loss}


def jax_form(self, state, data):
    import jax

    def compute(trainable):
        return self.compute_loss(*data, self.stateless_call(trainable, state[1], data[0])[0])

    gradients = jax.grad(compute)(state[0])
    return {"loss": 0.0}, (gradients, *state[1:])


FORMS = {"tensorflow": tensorflow_form, "torch": torch_form, "jax": jax_form}


@pytest.mark.parametrize("framework", [one for one in FORMS if one != backend.name])
def test_form_of_another_framework(framework):
    if framework != "torch":
        pytest.importorskip(framework, reason="the step imports it")
    assert_teaches(
        FORMS[framework], Exception,
        f"written for {framework}, and the backend is {backend.name}.*HORNBEAM_BACKEND={framework}.*value_and_grad",
    )  # fmt: skip


def all_outside(self, data):
    import tensorflow as tf

    loss = loss_of(self, data)
    with tf.GradientTape() as tape:
        pass
    applied(self, tape.gradient(loss, self.trainable_variables))


def never_backward(self, data):
    loss_of(self, data)
    applied(self, [one.value.grad for one in self.trainable_variables])


def gradient_of_the_variable(self, data):
    loss_of(self, data).backward()
    applied(self, [one.grad for one in self.trainable_variables])


def backward_of_many(self, data):
    x, y = data
    ops.square(y - self(x)).backward()


def only_logs(self, state, data):
    return {"loss": ops.sum(data[0])}


def part_of_the_state(self, state, data):
    return {"loss": ops.sum(data[0])}, state[:2]


def state_before_logs(self, state, data):
    return state, {"loss": ops.sum(data[0])}


def no_logs(self, state, data):
    return None, state


OWN = {
    "tensorflow": {all_outside: (ValueError, "a gradient for some variable, got None for all.*Does the loss depend")},
    "torch": {
        never_backward: (ValueError, "a gradient for some variable, got None for all.*Does the loss depend"),
        gradient_of_the_variable: (AttributeError, r"variable\.value\.grad"),
        backward_of_many: (RuntimeError, "scalar outputs"),
    },
    "jax": {
        only_logs: (TypeError, "a tuple of the logs and the new state, .* got {'loss'"),
        part_of_the_state: (TypeError, r"with \[4, 0, 2, 2\] values, got logs and a state with \[4, 0\] values"),
        state_before_logs: (TypeError, "the other way round"),
        no_logs: (TypeError, "expected a dict of results by name, got None"),
    },
}[backend.name if "gradients" in backend.features else "torch"]


@pytest.mark.parametrize("step", OWN, ids=lambda step: step.__name__)
def test_mistake_in_the_own_form(step):
    assert_teaches(step, *OWN[step])


# --- variables that the loss does not use --------------------------------------------------------------------------


def unused_in_tensorflow(self, data):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = ops.sum(self.layers[1](data[0]))
    self.optimizer.apply_gradients(
        zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True)
    )
    return {"loss": loss}


def unused_in_torch(self, data):
    self.zero_grad()
    loss = ops.sum(self.layers[1](data[0]))
    loss.backward()
    applied(self, [one.value.grad for one in self.trainable_variables])
    return {"loss": loss}


def unused_on_the_tape(self, data):
    with keras.GradientTape() as tape:
        loss = ops.sum(self.layers[1](data[0]))
    applied(self, tape.gradient(loss, self.trainable_variables))
    return {"loss": loss}


UNUSED = [unused_on_the_tape, *{"tensorflow": [unused_in_tensorflow], "torch": [unused_in_torch]}.get(backend.name, [])]


@pytest.mark.parametrize("step", UNUSED, ids=lambda step: step.__name__)
def test_unused_variables_are_named(step):
    made = model(step)
    before = made.layers[2].get_weights()
    path = made.layers[2].kernel.path
    with pytest.warns(UserWarning, match=f"No gradients for {path}.*Does the loss depend on them") as caught:
        made.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert len(caught) <= 2 or not backend.compile_default  # once, and once more where a step is followed twice
    for mine, wanted in zip(made.layers[2].get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, wanted)


@pytest.mark.skipif(backend.name != "jax", reason="about functions of JAX")
@pytest.mark.parametrize(
    ("layer", "transform"),
    [(layers.BatchNormalization, one) for one in ("jit", "vmap", "grad")]
    + [(lambda: layers.Dropout(0.5, seed=1), "jit")],  # its counter has a value in the others
)
def test_a_function_of_jax_in_which_variables_change_says_so_and_leaves_them(layer, transform):
    import jax

    one = layer()
    one(X)
    before = [np.array(state.value) for state in [*one.variables]]
    transforms = {
        "jit": jax.jit(lambda x: one(x, training=True)),
        "vmap": jax.vmap(lambda x: one(x[None], training=True)),
        "grad": jax.grad(lambda x: ops.sum(one(x, training=True))),
    }
    with pytest.raises(RuntimeError, match=r"leave variables as they are.*hornbeam\.jit.*stateless_call"):
        transforms[transform](ops.convert_to_tensor(X))
    for state, value in zip(one.variables, before, strict=True):
        np.testing.assert_array_equal(state.numpy(), value)
    assert np.isfinite(np.array(one(X, training=True))).all()
    jitted = keras.jit(lambda x: one(x, training=True))
    assert np.isfinite(np.array(jitted(X))).all()


@pytest.mark.skipif(backend.name != "tensorflow", reason="the other frameworks refuse it themselves")
def test_a_step_that_goes_through_numpy_says_that_nothing_learns():
    def train_step(self, data):
        x, y = data

        def loss_of():
            return self.compute_loss(x, y, ops.convert_to_tensor(np.asarray(self(x, training=True))))

        loss, gradients = keras.value_and_grad(loss_of, self.trainable_variables)
        applied(self, gradients)
        return {"loss": loss}

    mine = model(train_step, run_eagerly=True)
    with pytest.warns(UserWarning, match=r"all gradients are zero.*compute with hornbeam\.ops"):
        mine.fit(X, Y, batch_size=8, verbose=0)
