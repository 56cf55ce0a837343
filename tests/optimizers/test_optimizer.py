"""What all optimizers share: they converge when compiled, keep their state in files, and refuse bad input unharmed."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backend import active as backend

from .cases import OPTIMIZERS, SCHEDULE, gradients, make, start

compiled_only = pytest.mark.skipif("compile" not in backend.features, reason="this backend does not compile")
ones = np.ones(2, "float32")


def variable(values=(1.0, 2.0), name="v", dtype="float32"):
    return keras.Variable(np.array(values, "float32"), dtype=dtype, name=name)


def everything(optimizer, variables):
    return [one.numpy() for one in [*variables, *optimizer.variables]]


def table():
    return [keras.Variable(value, name=name) for name, value in start().items()]


def assert_unchanged(before, after):
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


# --- convergence and compilation -------------------------------------------------------------------------------

RATES = {"SGD": 0.1, "Adadelta": 30.0, "Adagrad": 0.5, "Ftrl": 1.0, "Adafactor": 0.5, "Lion": 0.05, "Muon": 0.1}


@compiled_only
@pytest.mark.parametrize("row", OPTIMIZERS)
def test_finds_the_minimum_of_a_quadratic_when_compiled(row):
    cls = OPTIMIZERS[row][0]
    rate = RATES.get(cls, 0.1)
    if cls in ("Lion", "Muon", "Adafactor"):  # their steps do not shrink by themselves
        rate = keras.optimizers.schedules.CosineDecay(rate, 200)
    optimizer = getattr(keras.optimizers, cls)(rate, weight_decay=0.0)
    target = np.random.default_rng(0).normal(size=(3, 3)).astype("float32")
    matrix, vector = keras.Variable(np.zeros((3, 3), "float32")), keras.Variable(np.zeros(3, "float32"))

    def loss_fn():
        return keras.ops.sum(keras.ops.square(matrix - target)) + keras.ops.sum(keras.ops.square(vector - target[0]))

    @keras.jit
    def step():
        loss, grads = keras.value_and_grad(loss_fn, [matrix, vector])
        optimizer.apply(grads, [matrix, vector])
        return loss

    first = float(step())
    for _ in range(200):
        step()
    assert float(step()) < 0.02 * first
    assert int(optimizer.iterations) == 202


@compiled_only
@pytest.mark.parametrize("options", [
    {}, {"gradient_accumulation_steps": 3, "weight_decay": 0.1}, {"use_ema": True, "ema_overwrite_frequency": 2},
    {"global_clipnorm": 0.5, "loss_scale_factor": 2.0}, {"learning_rate": SCHEDULE},
], ids=str)
def test_a_compiled_step_equals_an_eager_one(options):
    results = []
    for wrap in (keras.jit, lambda one: one):
        variables = table()
        optimizer = make(keras, "Adam", {"learning_rate": 0.1, **options})

        def step(*grads, optimizer=optimizer, variables=variables):
            optimizer.apply(grads, variables)

        step = wrap(step)
        for number in range(4):
            step(*gradients(number))
        results.append(everything(optimizer, variables))
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", OPTIMIZERS)
def test_stateless_apply_equals_apply_and_changes_nothing(row):
    cls, arguments = OPTIMIZERS[row]
    variables = table()
    optimizer = make(keras, cls, {**arguments, "use_ema": True, "gradient_accumulation_steps": 2})
    optimizer.build(variables)
    trained, own = [one.value for one in variables], [one.value for one in optimizer.variables]
    before = everything(optimizer, variables)
    for number in range(3):
        trained, own = optimizer.stateless_apply(own, gradients(number), trained)
    assert_unchanged(before, everything(optimizer, variables))
    for number in range(3):
        optimizer.apply(gradients(number), variables)
    for mine, theirs in zip([*trained, *own], everything(optimizer, variables), strict=True):
        np.testing.assert_allclose(backend.to_numpy(mine), theirs, rtol=1e-6, atol=1e-7)


def test_stateless_apply_says_what_is_missing():
    optimizer, v = keras.optimizers.SGD(), variable()
    with pytest.raises(ValueError, match="built"):
        optimizer.stateless_apply([], [ones], [v.value])
    optimizer.build([v])
    with pytest.raises(ValueError, match="2 optimizer values and 1 trained"):
        optimizer.stateless_apply([], [ones], [v.value])


# --- half precision ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("row", OPTIMIZERS)
def test_half_precision_follows_float32(row, dtype):
    cls, arguments = OPTIMIZERS[row]
    results = []
    for kind in (dtype, "float32"):
        variables = [keras.Variable(value, dtype=kind, name=name) for name, value in start().items()]
        optimizer = make(keras, cls, arguments)
        for number in range(3):
            optimizer.apply([backend.asarray(one, kind) for one in gradients(number)], variables)
        results.append([one.numpy().astype("float32") for one in variables])
        assert {one._dtype for one in optimizer.variables[2:]} <= {kind}
        assert all(one._dtype == kind for one in variables)
    tolerance = 0.02 if dtype == "float16" else 0.06
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=tolerance)


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grads", "message"), [
    ([ones], "expected 2 gradients, one for each variable, got 1"),
    ([ones, ones, ones], "expected 2 gradients, one for each variable, got 3"),
    ([ones, np.ones(3, "float32")], r"shape=\(1,\) for 'w', got shape=\(3,\)"),
    ([None, None], "None for all"),
], ids=["too few", "too many", "shape", "none"])
@pytest.mark.parametrize("built", [True, False])
def test_a_failed_apply_changes_nothing(grads, message, built):
    optimizer = keras.optimizers.Adam(0.1, use_ema=True)
    variables = [variable(), variable([3.0], "w")]
    if built:
        optimizer.build(variables)
    before = everything(optimizer, variables)
    with pytest.raises(ValueError, match=message):
        optimizer.apply(grads, variables)
    assert_unchanged(before, everything(optimizer, variables))


def test_an_update_that_raises_half_way_changes_nothing():
    class Breaks(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate)
            if variable.name == "w":
                raise RuntimeError("half way")

    optimizer, variables = Breaks(0.1, momentum=0.9), [variable(), variable([3.0], "w")]
    optimizer.build(variables)
    before = everything(optimizer, variables)
    with pytest.raises(RuntimeError, match="half way"):
        optimizer.apply([ones, ones[:1]], variables)
    assert_unchanged(before, everything(optimizer, variables))


def test_variables_without_gradient_are_left_with_a_warning():
    optimizer, variables = keras.optimizers.Adam(0.1, weight_decay=0.5), [variable(), variable([3.0], "w")]
    with pytest.warns(UserWarning, match="No gradients for v"):
        optimizer.apply([None, ones[:1]], variables)
    assert variables[0].numpy().tolist() == [1.0, 2.0]
    assert variables[1].numpy()[0] == pytest.approx(2.75, abs=1e-5)


def test_some_of_the_variables_are_enough_but_unknown_ones_are_named():
    optimizer, variables = keras.optimizers.Adam(0.1), [variable(), variable([3.0], "w")]
    optimizer.build(variables)
    optimizer.apply([ones[:1]], variables[1:])
    assert variables[0].numpy().tolist() == [1.0, 2.0]
    stranger = variable([1.0], "stranger")
    before = everything(optimizer, [*variables, stranger])
    with pytest.raises(ValueError, match=r"got 'stranger'.*new optimizer"):
        optimizer.apply([ones[:1], ones[:1]], [variables[1], stranger])
    assert_unchanged(before, everything(optimizer, [*variables, stranger]))


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_steps_after_the_first_are_checked_as_that_one_was(name):
    optimizer = getattr(keras.optimizers, name)(0.5)
    first, second = variable(name="first"), variable(name="second")
    step = keras.ops.ones(2)
    for _ in range(2):
        optimizer.apply([step, step], [first, second])
    before = everything(optimizer, [first, second])
    with pytest.raises(ValueError, match="gradient of shape"):
        optimizer.apply([step, keras.ops.ones(3)], [first, second])
    with pytest.raises(ValueError, match="built with"):
        optimizer.apply([step, step], [first, variable(name="third")])
    assert_unchanged(before, everything(optimizer, [first, second]))
    optimizer.apply([keras.ops.zeros(2), step], [second, first])  # in another order: each its own gradient
    with pytest.warns(UserWarning, match="No gradients for"):
        optimizer.apply([step, None], [first, second])
    other = getattr(keras.optimizers, name)(0.5)
    same = [variable(), variable()]
    for grads in ([step, step], [step, step], [step, keras.ops.zeros(2)]):
        other.apply(grads, same)
    with pytest.warns(UserWarning, match="No gradients for"):
        other.apply([step, None], same)
    for mine, theirs in zip([first, second], same, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-6)
    first.constraint = keras.constraints.MaxNorm(0.1)
    optimizer.apply(np.stack([ones, ones]), [first, second])  # arrays, and a constraint that came later
    assert np.linalg.norm(first.numpy()) <= 0.1 + 1e-6


def test_gradients_alone_need_a_built_optimizer():
    optimizer, v = keras.optimizers.SGD(0.5), variable()
    with pytest.raises(ValueError, match="built"):
        optimizer.apply([ones])
    optimizer.build([v])
    optimizer.apply([ones])
    assert v.numpy().tolist() == [0.5, 1.5]


@pytest.mark.parametrize(("arguments", "message"), [
    ({"clipnorm": 1.0, "clipvalue": 1.0}, "one way of clipping"),
    ({"clipnorm": -1.0}, "clipnorm=-1.0"),
    ({"gradient_accumulation_steps": 1}, "at least 2"),
    ({"gradient_accumulation_steps": 2.5}, "at least 2"),
    ({"use_ema": True, "ema_momentum": 2.0}, "at most 1"),
    ({"use_ema": True, "ema_overwrite_frequency": -1}, "at least 1"),
    ({"learning_rate": "fast"}, "learning_rate"),
    ({"learning_rate": ones}, "learning_rate"),
    ({"weight_decay": "a bit"}, "weight_decay"),
    ({"momentum": 2.0}, "between 0 and 1"),
    ({"lerning_rate": 0.1}, "Did you mean 'learning_rate'"),
    ({"lr": 0.1}, "'lr'"),
], ids=str)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras.optimizers.SGD(**arguments)


def test_the_old_decay_argument_warns():
    with pytest.warns(UserWarning, match="InverseTimeDecay"):
        keras.optimizers.SGD(decay=0.1)


def test_adamw_wants_weight_decay():
    with pytest.raises(ValueError, match="Use Adam"):
        keras.optimizers.AdamW(weight_decay=None)


# --- options -------------------------------------------------------------------------------------------------------


def test_weight_decay_leaves_out_what_is_excluded_by_name_or_itself():
    optimizer = keras.optimizers.SGD(0.1, weight_decay=1.0)
    variables = [variable([1.0], "kernel"), variable([1.0], "bias"), variable([1.0], "gamma")]
    optimizer.exclude_from_weight_decay(var_list=[variables[2]], var_names=["^bi"])
    optimizer.apply([np.zeros(1, "float32")] * 3, variables)
    assert [round(float(one[0]), 6) for one in variables] == [0.9, 1.0, 1.0]


def test_constraints_hold_after_each_step():
    v = keras.Variable(np.array([1.0, -2.0], "float32"), constraint=lambda value: keras.ops.maximum(value, 0.0))
    keras.optimizers.SGD(0.5).apply([ones], [v])
    assert v.numpy().tolist() == [0.5, 0.0]


def test_a_variable_that_is_overwritten_gets_its_gradient_and_no_state():
    scale, w = variable([1.0], "scale"), variable([1.0], "w")
    scale.overwrite_with_gradient = True
    optimizer = keras.optimizers.Adam(0.1, weight_decay=0.1, use_ema=True, clipnorm=0.1)
    optimizer.apply([7 * ones[:1], ones[:1]], [scale, w])
    assert scale.numpy().tolist() == [7.0]
    assert w.numpy()[0] == pytest.approx(0.8900038, abs=1e-6)
    names = [one.name for one in optimizer.variables]
    assert names == ["iteration", "learning_rate", "w_average", "w_momentum", "w_velocity"]


def test_a_gradient_of_zeros_is_not_divided_by_its_norm():
    v = variable()
    keras.optimizers.SGD(0.5, clipnorm=1.0).apply([0 * ones], [v])
    assert v.numpy().tolist() == [1.0, 2.0]


def test_the_learning_rate_can_be_changed():
    optimizer, v = keras.optimizers.SGD(0.5), variable()
    optimizer.apply([ones], [v])
    optimizer.learning_rate = 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25
    optimizer.apply([ones], [v])
    assert v.numpy().tolist() == [0.25, 1.25]
    optimizer.learning_rate.assign(1.0)
    optimizer.apply([ones], [v])
    assert v.numpy().tolist() == [-0.75, 0.25]
    optimizer.learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay([3], [2.0, 0.0])
    assert [one.name for one in optimizer.variables] == ["iteration"]
    optimizer.apply([ones], [v])
    optimizer.apply([ones], [v])
    assert v.numpy().tolist() == [-2.75, -1.75]
    with pytest.raises(TypeError, match="a schedule"):
        optimizer.learning_rate = 0.1


def test_a_function_serves_as_learning_rate():
    rates = iter([0.5, 0.25])
    optimizer, v = keras.optimizers.SGD(lambda: next(rates)), variable()
    optimizer.apply([ones], [v])
    optimizer.apply([ones], [v])
    assert v.numpy().tolist() == [0.25, 1.25]


def test_apply_gradients_takes_pairs():
    optimizer, v = keras.optimizers.SGD(0.5), variable()
    assert int(optimizer.apply_gradients(zip([ones], [v], strict=True))) == 1
    assert v.numpy().tolist() == [0.5, 1.5]


def test_scale_loss():
    assert float(keras.optimizers.SGD(loss_scale_factor=4.0).scale_loss(2.0)) == 8.0
    assert keras.optimizers.SGD().scale_loss(2.0) == 2.0


# --- state and names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", OPTIMIZERS)
def test_a_saved_state_goes_on_as_if_nothing_had_been(row):
    cls, arguments = OPTIMIZERS[row]
    arguments = {**arguments, "use_ema": True, "gradient_accumulation_steps": 2}
    variables, others = table(), table()
    optimizer, again = make(keras, cls, arguments), make(keras, cls, arguments)
    for number in range(3):
        optimizer.apply(gradients(number), variables)
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(place) for place in range(len(optimizer.variables))]
    for one, value in zip(others, variables, strict=True):
        one.assign(value)
    again.build(others)
    again.load_own_variables(store)
    for number in range(3, 5):
        optimizer.apply(gradients(number), variables)
        again.apply(gradients(number), others)
    assert_unchanged(everything(optimizer, variables), everything(again, others))


def test_the_state_of_another_optimizer_is_left_aside():
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build([variable()])
    with pytest.warns(UserWarning, match="3 variables, the file has 1"):
        optimizer.load_own_variables({"0": np.array(1)})
    assert int(optimizer.iterations) == 0


def test_set_weights_sets_all_or_none():
    optimizer = keras.optimizers.SGD(0.5, momentum=0.5)
    optimizer.build([variable()])
    optimizer.set_weights([3, 0.25, ones])
    assert [one.numpy().tolist() for one in optimizer.variables] == [3, 0.25, [1.0, 1.0]]
    with pytest.raises(ValueError, match="shape"):
        optimizer.set_weights([4, 0.25, np.ones(3)])
    assert int(optimizer.iterations) == 3


@pytest.mark.parametrize("name", [
    "SGD", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "RMSprop", "Adafactor", "Ftrl", "Lamb", "Lion",
    "Muon", "ScheduleFreeAdamW",
])
def test_names_are_found_in_any_case(name):
    cls = getattr(keras.optimizers, name)
    for spelling in (name, name.lower(), name.upper()):
        assert type(keras.optimizers.get(spelling)) is cls
    assert type(keras.optimizers.get({"class_name": name.lower(), "config": {"learning_rate": 0.2}})) is cls
    assert keras.optimizers.get(cls()).name.startswith(keras.optimizers.get(name).name.rstrip("_0123456789"))


def test_get_of_other_things():
    optimizer = keras.optimizers.Adam()
    assert keras.optimizers.get(optimizer) is optimizer
    assert keras.optimizers.get(None) is None
    with pytest.raises(ValueError, match=r"Did you mean .*'adam'"):
        keras.optimizers.get("adma")


def test_legacy_names_are_the_optimizers():
    for name in ("SGD", "Adam", "Adagrad", "Ftrl", "RMSprop", "Optimizer"):
        assert getattr(keras.optimizers.legacy, name) is getattr(keras.optimizers, name)


# --- the user's own ------------------------------------------------------------------------------------------------


class Heavy(keras.optimizers.Optimizer):
    """As Keras's guides write one."""

    def __init__(self, learning_rate=0.5, friction=0.5, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.friction = friction

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.speeds = self.add_optimizer_variables(variables, "speed", initializer="ones")

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = keras.ops.cast(learning_rate, variable.dtype)
        speed = self.speeds[self._get_variable_index(variable)]
        self.assign(speed, speed * self.friction + gradient)
        self.assign_sub(variable, keras.ops.multiply(speed, learning_rate))

    def get_config(self):
        config = super().get_config()
        config.update({"friction": self.friction})
        return config


def test_an_optimizer_of_the_users_own():
    optimizer, v = Heavy(friction=0.25), variable()
    optimizer.apply([ones], [v])
    assert v.numpy().tolist() == [0.375, 1.375]
    assert [one.name for one in optimizer.variables] == ["iteration", "learning_rate", "v_speed"]
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer), custom_objects={"Heavy": Heavy})
    assert isinstance(again, Heavy)
    assert again.friction == 0.25
    assert again.get_config() == optimizer.get_config()


def test_an_optimizer_without_update_step_says_so():
    with pytest.raises(NotImplementedError, match="update_step"):
        keras.optimizers.Optimizer(0.1).apply([ones], [variable()])


def test_the_config_of_a_subclass_has_its_arguments():
    class Own(keras.optimizers.SGD):
        def __init__(self, learning_rate=0.1, extra=3, **kwargs):
            super().__init__(learning_rate, **kwargs)
            self.extra = extra

    config = Own(extra=4, momentum=0.5, name="own").get_config()
    assert config["extra"] == 4
    again = Own.from_config({**config, "extra": 5})
    assert again.extra == 5
