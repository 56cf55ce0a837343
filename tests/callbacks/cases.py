"""Callbacks led by hand through made-up results, with hornbeam and with keras; both sides read this."""

import numpy as np

NAN = float("nan")
DOWN_UP = [5.0, 4.0, 3.0, 3.5, 3.6, 2.9, 3.1, 3.2, 3.3, 1.0]
FLAT = [1.0] * 8
UP = [0.1, 0.2, 0.3, 0.25, 0.28, 0.31, 0.3, 0.29, 0.28, 0.27]

STOPPING = {
    "plain": ({}, DOWN_UP),
    "patience": ({"patience": 2}, DOWN_UP),
    "patience of 3": ({"patience": 3}, DOWN_UP),
    "delta": ({"patience": 2, "min_delta": 0.5}, DOWN_UP),
    "restored": ({"patience": 2, "restore_best_weights": True}, DOWN_UP),
    "restored without stopping": ({"patience": 20, "restore_best_weights": True}, UP),
    "mode": ({"patience": 1, "mode": "max"}, UP),
    "accuracy": ({"patience": 1, "monitor": "val_accuracy"}, UP),
    "baseline never reached": ({"patience": 3, "baseline": 0.5, "restore_best_weights": True}, DOWN_UP),
    "baseline reached": ({"patience": 2, "baseline": 3.2}, DOWN_UP),
    "late start": ({"patience": 1, "start_from_epoch": 3, "restore_best_weights": True}, DOWN_UP),
    "flat": ({"patience": 2}, FLAT),
    "NaN": ({"patience": 2, "restore_best_weights": True}, [NAN, 3.0, NAN, 2.0, NAN, NAN, 1.0]),
    "NaN first": ({"patience": 2}, [NAN, NAN, NAN, NAN]),
}
PLATEAU = {
    "plain": ({"patience": 2}, DOWN_UP),
    "at once": ({"patience": 1, "factor": 0.5}, FLAT),
    "none": ({"patience": 0, "factor": 0.5}, FLAT),
    "cooldown": ({"patience": 1, "factor": 0.5, "cooldown": 2}, FLAT),
    "floor": ({"patience": 1, "factor": 0.1, "min_lr": 0.02}, FLAT),
    "delta": ({"patience": 2, "factor": 0.5, "min_delta": 0.5}, DOWN_UP),
    "mode": ({"patience": 1, "factor": 0.5, "mode": "max"}, UP),
    "accuracy": ({"patience": 1, "factor": 0.5, "monitor": "val_accuracy"}, UP),
}
SCHEDULES = {
    "epoch": lambda epoch: 0.1 / (epoch + 1),
    "rate": lambda epoch, rate: rate * 0.5,
}
CHECKPOINTS = {
    "each": ("{epoch:02d}.keras", {}),
    "one": ("one.keras", {}),
    "named": ("{epoch}-{val_loss:.1f}.weights.h5", {"save_weights_only": True}),
    "best": ("{epoch}.keras", {"save_best_only": True}),
    "best of accuracy": ("{epoch}.keras", {"save_best_only": True, "monitor": "val_accuracy"}),
    "best with threshold": ("{epoch}.keras", {"save_best_only": True, "initial_value_threshold": 3.0}),
    "batches": ("{epoch}-{batch}.weights.h5", {"save_weights_only": True, "save_freq": 3}),
}
WRITERS = {"plain": {}, "separator": {"separator": ";"}}


def model(keras):
    one = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    one.compile(keras.optimizers.SGD(0.1), "mse", metrics=["accuracy"])
    one.evaluate(np.ones((2, 1)), np.ones((2, 1)), verbose=0)  # so that the metrics are known
    return one


def set_weight(one, value):
    one.set_weights([np.array([[value]], "float32")])


def lead(keras, one, callback, values, batches=0):
    """Calls the hooks of a run of epochs in which the watched number takes `values`; gives the last epoch."""
    callback.set_model(one)
    callback.set_params({"verbose": 0, "epochs": len(values), "steps": batches})
    one.stop_training = False
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, {"loss": value, "val_loss": value})
        set_weight(one, epoch + 1.0)
        logs = {"loss": value, "val_loss": value, "val_accuracy": value}
        callback.on_epoch_end(epoch, logs)
        seen.append([float(one.optimizer.learning_rate), sorted(logs)])
        if one.stop_training:
            break
    callback.on_train_end()
    return seen


def stopping(keras, name):
    arguments, values = STOPPING[name]
    one = model(keras)
    callback = keras.callbacks.EarlyStopping(**arguments)
    seen = lead(keras, one, callback, values)
    best = None if callback.best is None else float(callback.best)
    return {
        "epochs": len(seen), "stopped": callback.stopped_epoch, "weight": float(one.get_weights()[0][0, 0]),
        "best": best, "best_epoch": callback.best_epoch,
    }  # fmt: skip


def plateau(keras, name):
    arguments, values = PLATEAU[name]
    return {"rates": lead(keras, model(keras), keras.callbacks.ReduceLROnPlateau(**arguments), values)}


def schedule(keras, name):
    return {"rates": lead(keras, model(keras), keras.callbacks.LearningRateScheduler(SCHEDULES[name]), FLAT[:4])}


def checkpoint(keras, name, folder):
    path, arguments = CHECKPOINTS[name]
    callback = keras.callbacks.ModelCheckpoint(folder / path, **arguments)
    lead(keras, model(keras), callback, UP[:5] if "accuracy" in name else DOWN_UP[:7], batches=4)
    return {"files": sorted(one.name for one in folder.iterdir())}


def writer(keras, name, folder):
    path = folder / "log.csv"
    lead(keras, model(keras), keras.callbacks.CSVLogger(path, **WRITERS[name]), DOWN_UP[:3])
    lead(keras, model(keras), keras.callbacks.CSVLogger(path, append=True, **WRITERS[name]), DOWN_UP[:2])
    return {"lines": path.read_text(encoding="utf-8").splitlines()}


GROUPS = {"stopping": (stopping, STOPPING), "plateau": (plateau, PLATEAU), "schedule": (schedule, SCHEDULES)}
FILE_GROUPS = {"checkpoint": (checkpoint, CHECKPOINTS), "writer": (writer, WRITERS)}
