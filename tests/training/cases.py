"""Programs that train small models, written once and run with hornbeam and with keras.

Each gives what it saw as plain numbers; `record_oracle.py` writes what keras gives into `oracle.json`.
"""

import numpy as np

ROWS = 22  # with batches of 6 the last one has 4


def data(kind):
    """`(x, y)` for a kind of model."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(ROWS, 5)).astype("float32")
    number = (x[:, :1] * 2 + x[:, 1:2]).astype("float32")
    label = rng.integers(0, 4, ROWS)
    label[:4] = [0, 1, 2, 3]
    if kind in ("classes", "classes_logits"):
        return x, label
    if kind == "one_hot":
        return x, np.eye(4, dtype="float32")[label]
    if kind == "binary":
        return x, (x[:, :1] > 0).astype("float32")
    if kind == "two":
        return x, [number, label]
    if kind == "dict":
        return {"left": x[:, :3], "right": x[:, 3:]}, {"value": number, "label": label}
    if kind == "masked":
        words = rng.integers(0, 6, (ROWS, 4))
        words[:, 0] = 1
        return words, rng.normal(size=(ROWS, 4, 1)).astype("float32")
    if kind == "unlabelled":
        return x, None
    return x, number


def model(keras, kind):
    """A model of a kind, with weights that follow from the kind alone."""
    layers = keras.layers
    if kind == "two":
        inputs = keras.Input((5,))
        hidden = layers.Dense(6, activation="tanh", name="hidden")(inputs)
        made = keras.Model(
            inputs, [layers.Dense(1, name="value")(hidden), layers.Dense(4, activation="softmax", name="label")(hidden)]
        )
    elif kind == "dict":
        left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
        hidden = layers.Dense(6, activation="tanh", name="hidden")(layers.Concatenate()([left, right]))
        outputs = {
            "value": layers.Dense(1, name="v")(hidden),
            "label": layers.Dense(4, activation="softmax", name="l")(hidden),
        }
        made = keras.Model({"left": left, "right": right}, outputs)
    elif kind == "masked":
        made = keras.Sequential([keras.Input((4,)), layers.Embedding(6, 3, mask_zero=True), layers.Dense(1)])
    elif kind in ("classes", "one_hot", "classes_logits"):
        last = None if kind == "classes_logits" else "softmax"
        made = keras.Sequential(
            [keras.Input((5,)), layers.Dense(6, activation="relu"), layers.Dense(4, activation=last)]
        )
    elif kind == "binary":
        made = keras.Sequential([keras.Input((5,)), layers.Dense(1, activation="sigmoid")])
    elif kind == "normalized":
        made = keras.Sequential(
            [keras.Input((5,)), layers.Dense(6), layers.BatchNormalization(momentum=0.8), layers.Dense(1)]
        )
    elif kind == "regularized":
        made = keras.Sequential(
            [
                keras.Input((5,)),
                layers.Dense(
                    6, activation="relu", kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.01)
                ),
                layers.Dense(1, activity_regularizer=keras.regularizers.L2(0.02)),
            ]
        )
    elif kind in ("added", "unlabelled"):

        class Adds(layers.Layer):
            def call(self, inputs):
                self.add_loss(0.1 * keras.ops.mean(keras.ops.square(inputs)))
                return inputs

        made = keras.Sequential(
            [keras.Input((5,)), layers.Dense(6, activation="tanh"), Adds(), layers.Dense(1), Adds()]
        )
    elif kind == "nested":
        inner = keras.Sequential(
            [keras.Input((5,)), layers.Dense(4, activation="tanh", kernel_regularizer="l2")], name="inner"
        )
        inputs = keras.Input((5,))
        made = keras.Model(inputs, layers.Dense(1)(inner(inputs)))
    elif kind == "subclassed":

        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.first = layers.Dense(6, activation="tanh")
                self.second = layers.Dense(1)

            def call(self, inputs):
                return self.second(self.first(inputs))

        made = Own()
        made(np.zeros((1, 5), "float32"))
    else:
        made = keras.Sequential([keras.Input((5,)), layers.Dense(6, activation="tanh"), layers.Dense(1)])
    rng = np.random.default_rng(3)
    for variable in made.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype("float32"))
    return made


def made(keras, value):
    """`value`, with `["Class", {...}]` at the key "object" made into an object of keras."""
    if isinstance(value, dict) and set(value) == {"object"}:
        place = keras
        *path, last = value["object"][0].split(".")
        for name in path:
            place = getattr(place, name)
        return getattr(place, last)(**made(keras, value["object"][1]))
    if isinstance(value, dict):
        return {name: made(keras, one) for name, one in value.items()}
    if isinstance(value, list):
        return [made(keras, one) for one in value]
    return value


def of(cls, /, **arguments):
    return {"object": [cls, arguments]}


W = np.linspace(0.2, 2.0, ROWS).astype("float32")
SGD = of("optimizers.SGD", learning_rate=0.1)
X, Y = data("plain")

# name: (kind of model, arguments of compile, arguments of fit beside x, y, batch_size=6, epochs=2)
FIT = {
    "plain": ("plain", {"loss": "mse"}, {}),
    "subclassed": ("subclassed", {"loss": "mse", "metrics": ["mae"]}, {}),
    "metrics": ("plain", {"loss": "mse", "metrics": ["mae", "mse"]}, {"epochs": 3}),
    "split": ("plain", {"loss": "mse", "metrics": ["mae"]}, {"validation_split": 0.3}),
    "validation": ("plain", {"loss": "mse", "metrics": ["mae"]}, {"validation_data": (X[:7], Y[:7])}),
    "validation_weighted": (
        "plain",
        {"loss": "mse", "weighted_metrics": ["mae"]},
        {"validation_data": (X[:7], Y[:7], W[:7]), "validation_batch_size": 4},
    ),
    "validation_steps": (
        "plain",
        {"loss": "mse", "metrics": ["mae"]},
        {"validation_data": (X, Y), "validation_steps": 2, "validation_batch_size": 3},
    ),
    "frequency": ("plain", {"loss": "mse"}, {"epochs": 5, "validation_data": (X[:7], Y[:7]), "validation_freq": 2}),
    "frequency_list": (
        "plain",
        {"loss": "mse"},
        {"epochs": 5, "validation_data": (X[:7], Y[:7]), "validation_freq": [1, 4]},
    ),
    "class_weight": (
        "classes",
        {"loss": "sparse_categorical_crossentropy", "weighted_metrics": ["accuracy"]},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5, 3: 4.0}},
    ),
    "class_weight_one_hot": (
        "one_hot",
        {"loss": "categorical_crossentropy", "metrics": ["accuracy"]},
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5, 3: 4.0}},
    ),
    "sample_weight": ("plain", {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]}, {"sample_weight": W}),
    # a sum makes steps as many times as long as there are samples: at the rate of the others a last bit of the inputs
    # moved the predictions by 8e-4
    "weights_sum": (
        "plain",
        {"loss": of("losses.MeanSquaredError", reduction="sum"), "optimizer": of("optimizers.SGD", learning_rate=5e-3)},
        {"sample_weight": W},
    ),
    "initial_epoch": ("plain", {"loss": "mse"}, {"initial_epoch": 2, "epochs": 4}),
    "steps_per_epoch": ("plain", {"loss": "mse"}, {"steps_per_epoch": 2}),
    "steps_per_execution": ("plain", {"loss": "mse", "metrics": ["mae"], "steps_per_execution": 3}, {}),
    "eager": ("plain", {"loss": "mse", "metrics": ["mae"], "run_eagerly": True}, {}),
    "not_compiled": ("plain", {"loss": "mse", "metrics": ["mae"], "jit_compile": False}, {}),
    "accuracy_sparse": ("classes", {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {}),
    "accuracy_one_hot": ("one_hot", {"loss": "categorical_crossentropy", "metrics": ["acc"]}, {}),
    "accuracy_binary": ("binary", {"loss": "binary_crossentropy", "metrics": ["accuracy", "binary_crossentropy"]}, {}),
    "objects": (
        "classes_logits",
        {
            "loss": of("losses.SparseCategoricalCrossentropy", from_logits=True),
            "metrics": [of("metrics.SparseCategoricalAccuracy", name="acc")],
        },
        {},
    ),
    "label_smoothing": ("one_hot", {"loss": of("losses.CategoricalCrossentropy", label_smoothing=0.1)}, {}),
    "two": (
        "two",
        {
            "loss": ["mse", "sparse_categorical_crossentropy"],
            "loss_weights": [0.5, 2.0],
            "metrics": [["mae"], ["accuracy"]],
        },
        {"validation_split": 0.3},
    ),
    "two_dict": (
        "two",
        {
            "loss": {"value": "mse", "label": "sparse_categorical_crossentropy"},
            "loss_weights": {"value": 0.3, "label": 1.0},
            "metrics": {"label": ["accuracy"]},
        },
        {},
    ),
    "two_one_loss": ("two", {"loss": [None, "sparse_categorical_crossentropy"], "metrics": [["mae", "mse"], []]}, {}),
    "dict": (
        "dict",
        {
            "loss": {"value": "mse", "label": "sparse_categorical_crossentropy"},
            "metrics": {"value": ["mae"], "label": ["accuracy"]},
        },
        {"validation_split": 0.3},
    ),
    "masked": ("masked", {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]}, {}),
    "masked_weighted": (
        "masked",
        {"loss": "mse", "weighted_metrics": ["mae"]},
        {"sample_weight": np.stack([W, 2 * W, W / 3, W * 0], axis=1)},
    ),
    "normalized": ("normalized", {"loss": "mse"}, {"validation_split": 0.3}),
    "regularized": ("regularized", {"loss": "mse", "metrics": ["mse"]}, {"validation_split": 0.3}),
    "added": ("added", {"loss": "mse"}, {"validation_split": 0.3}),
    "unlabelled": ("unlabelled", {"loss": None}, {}),
    "nested": ("nested", {"loss": "mse"}, {}),
    "adam": ("plain", {"loss": "mse", "optimizer": of("optimizers.Adam", learning_rate=0.05)}, {"epochs": 3}),
    "rmsprop": ("plain", {"loss": "mse", "optimizer": "rmsprop"}, {}),
    "schedule": (
        "plain",
        {
            "loss": "mse",
            "optimizer": of(
                "optimizers.SGD",
                learning_rate=of(
                    "optimizers.schedules.ExponentialDecay", initial_learning_rate=0.1, decay_steps=3, decay_rate=0.5
                ),
            ),
        },
        {},
    ),
    "clipped": (
        "plain",
        {"loss": "mse", "optimizer": of("optimizers.SGD", learning_rate=0.1, global_clipnorm=0.5)},
        {},
    ),
    "averaged": (
        "plain",
        {"loss": "mse", "optimizer": of("optimizers.SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.7)},
        {"validation_split": 0.3},
    ),
    "accumulated": (
        "plain",
        {"loss": "mse", "optimizer": of("optimizers.SGD", learning_rate=0.1, gradient_accumulation_steps=3)},
        {"epochs": 3},
    ),
    "early_stopping": (
        "plain",
        {"loss": "mse"},
        {
            "epochs": 9,
            "validation_data": (-X[:7], Y[:7]),
            "callbacks": [of("callbacks.EarlyStopping", monitor="val_loss", patience=2, restore_best_weights=True)],
        },
    ),
    "plateau": (
        "plain",
        {"loss": "mse"},
        {
            "epochs": 6,
            "validation_data": (-X[:7], Y[:7]),
            "callbacks": [of("callbacks.ReduceLROnPlateau", monitor="val_loss", patience=1, factor=0.5, cooldown=1)],
        },
    ),
}


def numbers(value):
    """Any result as what json can hold."""
    if isinstance(value, dict):
        return {name: numbers(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(one) for one in value]
    return np.asarray(value, dtype="float64").tolist()


def compiled(keras, name):
    """The model of a row of FIT, compiled."""
    kind, compile_arguments, _ = FIT[name]
    one = model(keras, kind)
    one.compile(**made(keras, {"optimizer": SGD, **compile_arguments}))
    return one


def fit(keras, name):
    """What a row of FIT gives: the history, the weights, an evaluation and predictions."""
    kind, _, arguments = FIT[name]
    one = compiled(keras, name)
    x, y = data(kind)
    history = one.fit(x, y, **{"batch_size": 6, "epochs": 2, "verbose": 0, "shuffle": False, **made(keras, arguments)})
    found = {"history": numbers(history.history), "epochs": list(history.epoch), "weights": numbers(one.get_weights())}
    found["evaluate"] = numbers(one.evaluate(x, y, batch_size=5, verbose=0))
    found["evaluate_dict"] = numbers(one.evaluate(x, y, batch_size=5, verbose=0, return_dict=True))
    found["test_on_batch"] = numbers(one.test_on_batch(x, y, return_dict=True))
    found["predict"] = numbers(one.predict(x, batch_size=5, verbose=0))
    return found


# --- single steps -----------------------------------------------------------------------------------------------------


def single_steps(keras):
    """Results of train_on_batch and its like, call by call."""
    seen = {}
    one = compiled(keras, "class_weight")
    x, y = data("classes")
    seen["train"] = [numbers(one.train_on_batch(x[i : i + 5], y[i : i + 5])) for i in (0, 5, 10)]
    seen["train_dict"] = numbers(one.train_on_batch(x, y, return_dict=True))
    seen["train_class_weight"] = numbers(one.train_on_batch(x, y, class_weight={0: 1.0, 1: 3.0, 2: 0.5, 3: 1.0}))
    seen["train_sample_weight"] = numbers(one.train_on_batch(x, y, sample_weight=W))
    one.reset_metrics()
    seen["test"] = numbers(one.test_on_batch(x, y))
    seen["test_again"] = numbers(one.test_on_batch(x[:3], y[:3], sample_weight=W[:3]))
    seen["test_dict"] = numbers(one.test_on_batch(x, y, return_dict=True))
    seen["predict"] = numbers(one.predict_on_batch(x[:3]))
    seen["weights"] = numbers(one.get_weights())
    return seen


def going_on(keras):
    """fit called again goes on, with the optimizer's state, and its history starts anew."""
    one = model(keras, "plain")
    one.compile(made(keras, of("optimizers.Adam", learning_rate=0.05)), "mse")
    x, y = data("plain")
    seen = []
    for _ in range(3):
        history = one.fit(x, y, batch_size=6, epochs=1, verbose=0, shuffle=False)
        seen.append(numbers(history.history))
    return {"histories": seen, "weights": numbers(one.get_weights()), "iterations": int(one.optimizer.iterations)}


def freezing(keras):
    """Layers frozen after compile, and thawed again, without compiling again."""
    one = model(keras, "normalized")
    one.compile(made(keras, of("optimizers.SGD", learning_rate=0.1)), "mse")
    x, y = data("normalized")
    seen = {}
    for step, (layer, trainable) in enumerate([(None, True), (0, False), (1, False), (0, True)]):
        if layer is not None:
            one.layers[layer].trainable = trainable
            one.compile(one.optimizer if step == 9 else made(keras, of("optimizers.SGD", learning_rate=0.1)), "mse")
        history = one.fit(x, y, batch_size=6, verbose=0, shuffle=False)
        seen[f"{step}/history"] = numbers(history.history)
        seen[f"{step}/weights"] = numbers([numbers(v) for v in one.get_weights()])
    return seen


def callback_order(keras):
    """Which hooks are called with which logs."""
    calls = []

    def hook(name):
        def called(self, *args, logs=None):
            numbers_first = [int(a) for a in args if not isinstance(a, dict) and a is not None]
            found = logs if logs is not None else next((a for a in args if isinstance(a, dict)), None)
            calls.append([name, numbers_first, sorted(found) if found else []])

        return called

    names = [
        f"on_{phase}_{when}"
        for phase in ("train", "test", "predict")
        for when in ("begin", "end", "batch_begin", "batch_end")
    ]
    recorder = type(
        "Recorder",
        (keras.callbacks.Callback,),
        {name: hook(name) for name in [*names, "on_epoch_begin", "on_epoch_end"]},
    )()
    one = compiled(keras, "metrics")
    x, y = data("plain")
    one.fit(
        x[:12],
        y[:12],
        batch_size=6,
        epochs=2,
        verbose=0,
        validation_data=(x[12:], y[12:]),
        validation_batch_size=7,
        callbacks=[recorder],
    )
    one.evaluate(x[:6], y[:6], verbose=0, callbacks=[recorder])
    one.predict(x[:6], verbose=0, callbacks=[recorder])
    return {"calls": calls}


def stopping_within_an_epoch(keras):
    """stop_training set while a batch ends."""

    class Stops(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.stop_training = True

    one = compiled(keras, "plain")
    x, y = data("plain")
    history = one.fit(x, y, batch_size=6, epochs=5, verbose=0, shuffle=False, callbacks=[Stops()])
    return {"history": numbers(history.history), "weights": numbers(one.get_weights())}


def seen_weights(keras):
    """What a callback sees after each batch."""
    seen = []

    class Looks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append([numbers(self.model.get_weights()), float(logs["loss"]), int(self.model.optimizer.iterations)])

    one = compiled(keras, "normalized")
    x, y = data("normalized")
    one.fit(x, y, batch_size=6, verbose=0, shuffle=False, callbacks=[Looks()])
    return {"seen": seen}


def own_loss(keras):
    """compute_loss and compute_metrics written by the user, in the present form and the one before."""
    seen = {}
    base = keras.Model

    class Present(base):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean(keras.ops.square(y - y_pred)) + 0.1 * keras.ops.mean(keras.ops.abs(x))

    class Before(base):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False):
            return keras.ops.mean(keras.ops.abs(y - y_pred))

    class Passes(base):
        def compute_loss(self, *args, **kwargs):
            return 2.0 * super().compute_loss(*args, **kwargs)

    class Metrics(base):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            found = super().compute_metrics(x, y, y_pred, sample_weight)
            found["constant"] = found["loss"] * 0 + 3.0
            return found

    x, y = data("plain")
    for cls in (Present, Before, Passes, Metrics):
        inputs = keras.Input((5,))
        one = cls(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs))
        one.compile(made(keras, SGD), "mse", metrics=["mae"])
        history = one.fit(x, y, batch_size=6, epochs=2, verbose=0, shuffle=False)
        seen[cls.__name__] = {"history": numbers(history.history), "evaluate": numbers(one.evaluate(x, y, verbose=0))}
    return seen


def jax_guide(keras, jax):
    """The steps of Keras's guide on customising fit with JAX."""

    class CustomModel(keras.Model):
        def train_step(self, state, data):
            (
                trainable_variables,
                non_trainable_variables,
                optimizer_variables,
                metrics_variables,
            ) = state
            x, y = data
            grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable_variables)), grads = grad_fn(
                trainable_variables, non_trainable_variables, x, y, training=True
            )
            trainable_variables, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable_variables
            )
            new_metrics_vars = []
            logs = {}
            for metric in self.metrics:
                this_metric_vars = metrics_variables[
                    len(new_metrics_vars) : len(new_metrics_vars) + len(metric.variables)
                ]
                if metric.name == "loss":
                    this_metric_vars = metric.stateless_update_state(this_metric_vars, loss)
                else:
                    this_metric_vars = metric.stateless_update_state(this_metric_vars, y, y_pred)
                logs[metric.name] = metric.stateless_result(this_metric_vars)
                new_metrics_vars += this_metric_vars
            state = (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_vars)
            return logs, state

        def test_step(self, state, data):
            x, y = data
            trainable_variables, non_trainable_variables, metrics_variables = state
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=False
            )
            loss = self.compute_loss(x, y, y_pred)
            new_metrics_vars = []
            logs = {}
            for metric in self.metrics:
                this_metric_vars = metrics_variables[
                    len(new_metrics_vars) : len(new_metrics_vars) + len(metric.variables)
                ]
                if metric.name == "loss":
                    this_metric_vars = metric.stateless_update_state(this_metric_vars, loss)
                else:
                    this_metric_vars = metric.stateless_update_state(this_metric_vars, y, y_pred)
                logs[metric.name] = metric.stateless_result(this_metric_vars)
                new_metrics_vars += this_metric_vars
            state = (trainable_variables, non_trainable_variables, new_metrics_vars)
            return logs, state

        def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x, y, training=False):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            loss = self.compute_loss(x, y, y_pred)
            return loss, (y_pred, non_trainable_variables)

    inputs = keras.Input((5,))
    hidden = keras.layers.BatchNormalization(momentum=0.8)(
        keras.layers.Dense(6, "tanh", kernel_initializer="ones")(inputs)
    )
    one = CustomModel(inputs, keras.layers.Dense(1, kernel_initializer="ones")(hidden))
    one.compile(optimizer=made(keras, of("optimizers.Adam", learning_rate=0.05)), loss="mse", metrics=["mae"])
    x, y = data("plain")
    history = one.fit(x, y, batch_size=6, epochs=3, verbose=0, shuffle=False)
    return {
        "history": numbers(history.history),
        "weights": numbers(one.get_weights()),
        "evaluate": numbers(one.evaluate(x, y, batch_size=6, verbose=0)),
        "predict": numbers(one.predict(x, verbose=0)),
    }


def jax_own_metrics(keras, jax):
    """The second model of that guide: a loss tracker and a metric of its own, compiled with an optimizer only."""

    class CustomModel(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")
            self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = keras.losses.MeanSquaredError()

        def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x, y, training=False):
            y_pred, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=training
            )
            loss = self.loss_fn(y, y_pred)
            return loss, (y_pred, non_trainable_variables)

        def train_step(self, state, data):
            (
                trainable_variables,
                non_trainable_variables,
                optimizer_variables,
                metrics_variables,
            ) = state
            x, y = data
            grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable_variables)), grads = grad_fn(
                trainable_variables, non_trainable_variables, x, y, training=True
            )
            trainable_variables, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable_variables
            )
            loss_tracker_vars = metrics_variables[: len(self.loss_tracker.variables)]
            mae_metric_vars = metrics_variables[len(self.loss_tracker.variables) :]
            loss_tracker_vars = self.loss_tracker.stateless_update_state(loss_tracker_vars, loss)
            mae_metric_vars = self.mae_metric.stateless_update_state(mae_metric_vars, y, y_pred)
            logs = {}
            logs[self.loss_tracker.name] = self.loss_tracker.stateless_result(loss_tracker_vars)
            logs[self.mae_metric.name] = self.mae_metric.stateless_result(mae_metric_vars)
            new_metrics_vars = loss_tracker_vars + mae_metric_vars
            state = (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_vars)
            return logs, state

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    inputs = keras.Input((5,))
    one = CustomModel(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs))
    one.compile(optimizer=made(keras, of("optimizers.Adam", learning_rate=0.05)))
    x, y = data("plain")
    history = one.fit(x, y, batch_size=6, epochs=3, verbose=0, shuffle=False)
    return {"history": numbers(history.history), "weights": numbers(one.get_weights())}


PROGRAMS = {
    one.__name__: one
    for one in (single_steps, going_on, freezing, callback_order, stopping_within_an_epoch, seen_weights, own_loss)
}
JAX_PROGRAMS = {one.__name__: one for one in (jax_guide, jax_own_metrics)}


def rounded(value):
    """Numbers with seven digits, so that the recorded file stays small."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value
