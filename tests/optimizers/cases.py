"""The table of optimizers and options that is held against the oracle; plain values only, for both sides read it."""

import numpy as np

STEPS = 10
SHAPES = {"kernel": (4, 3), "bias": (3,), "filters": (2, 2, 3, 2), "scale": ()}
EMA = {"use_ema": True, "ema_momentum": 0.8}
SCHEDULE = {"schedule": "ExponentialDecay", "initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}

# each optimizer, under a name, with the arguments that make it worth a look
OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": 0.1}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.8}),
    "adam": ("Adam", {"learning_rate": 0.1}),
    "adamw": ("AdamW", {"learning_rate": 0.1}),
    "adamax": ("Adamax", {"learning_rate": 0.1}),
    "nadam": ("Nadam", {"learning_rate": 0.1}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1}),
    "adadelta": ("Adadelta", {"learning_rate": 0.5}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.1}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "lamb": ("Lamb", {"learning_rate": 0.1}),
    "lion": ("Lion", {"learning_rate": 0.1}),
    "muon": ("Muon", {"learning_rate": 0.1}),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.1}),
}

# what every optimizer has from the base
OPTIONS = {
    "plain": {},
    "weight_decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.3},
    "global_clipnorm": {"global_clipnorm": 0.7},
    "ema": EMA,
    "ema_overwrite": {**EMA, "ema_overwrite_frequency": 3, "weight_decay": 0.01},
    "accumulation": {"gradient_accumulation_steps": 3, "weight_decay": 0.1, "clipnorm": 0.5},
    "accumulation_ema": {"gradient_accumulation_steps": 2, **EMA, "ema_overwrite_frequency": 2},
    "schedule": {"learning_rate": SCHEDULE, "weight_decay": 0.1},
    "schedule_accumulation": {"learning_rate": SCHEDULE, "gradient_accumulation_steps": 2},
    "loss_scale": {"loss_scale_factor": 4.0},
}

# what single ones have
SPECIAL = {
    "sgd_nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    "sgd_nesterov_alone": ("SGD", {"learning_rate": 0.1, "nesterov": True}),
    "adam_amsgrad": ("Adam", {"learning_rate": 0.1, "amsgrad": True, "beta_2": 0.5}),
    "adam_betas": ("Adam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.1}),
    "adamw_amsgrad": ("AdamW", {"learning_rate": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    "adamax_betas": ("Adamax", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.1}),
    "nadam_betas": ("Nadam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.1}),
    "adagrad_start": ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 0.1}),
    "adadelta_rho": ("Adadelta", {"learning_rate": 1.0, "rho": 0.5, "epsilon": 0.01}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.1, "momentum": 0.7, "rho": 0.6}),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.1, "centered": True, "epsilon": 0.01}),
    "rmsprop_all": ("RMSprop", {"learning_rate": 0.1, "centered": True, "momentum": 0.7, "epsilon": 0.01}),
    "adafactor_absolute": ("Adafactor", {"learning_rate": 0.1, "relative_step": False, "clip_threshold": 0.5}),
    "adafactor_decay": ("Adafactor", {"learning_rate": 0.1, "beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 0.1}),
    "ftrl_l1": ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.2}),
    "ftrl_l2": ("Ftrl", {"learning_rate": 0.1, "l2_regularization_strength": 0.2}),
    "ftrl_shrinkage": ("Ftrl", {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.2}),
    "ftrl_beta": ("Ftrl", {"learning_rate": 0.1, "beta": 0.5, "initial_accumulator_value": 0.3}),
    "ftrl_power": ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.7, "l1_regularization_strength": 0.01}),
    "ftrl_power_zero": ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": 0.0}),
    "lamb_betas": ("Lamb", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.1}),
    "lion_betas": ("Lion", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.8}),
    "muon_plain": ("Muon", {"learning_rate": 0.1, "nesterov": False, "ns_steps": 3}),
    "muon_excluded": ("Muon", {"learning_rate": 0.1, "exclude_layers": ["kern"], "adam_lr_ratio": 0.5}),
    "muon_coefficients": (
        "Muon", {"learning_rate": 0.1, "muon_a": 3.0, "muon_b": -3.2, "muon_c": 1.2, "momentum": 0.5, "rms_rate": None}
    ),
    "muon_decays": ("Muon", {"learning_rate": 0.1, "adam_weight_decay": 0.2, "weight_decay": 0.1, "rms_rate": 0.5}),
    "muon_adam": ("Muon", {"learning_rate": 0.1, "adam_beta_1": 0.5, "adam_beta_2": 0.8, "epsilon": 0.1}),
    "schedule_free_warmup": ("ScheduleFreeAdamW", {"learning_rate": 0.1, "warmup_steps": 4}),
    "schedule_free_betas": (
        "ScheduleFreeAdamW", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.1, "weight_decay": 0.1}
    ),
}

CASES = {
    f"{name}-{option}": (cls, {**arguments, **extra})
    for name, (cls, arguments) in OPTIMIZERS.items()
    for option, extra in OPTIONS.items()
} | SPECIAL

SCHEDULES = {
    "exponential": ("ExponentialDecay", (0.1, 7, 0.5), {}),
    "exponential_stairs": ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    "inverse": ("InverseTimeDecay", (0.1, 7, 0.5), {}),
    "inverse_stairs": ("InverseTimeDecay", (0.1, 7, 0.5), {"staircase": True}),
    "piecewise": ("PiecewiseConstantDecay", ([5, 11], [1.0, 0.5, 0.1]), {}),
    "piecewise_floats": ("PiecewiseConstantDecay", ([5.5, 11.0], [1.0, 0.5, 0.1]), {}),
    "polynomial": ("PolynomialDecay", (0.1, 15), {"end_learning_rate": 0.01, "power": 2.0}),
    "polynomial_cycle": ("PolynomialDecay", (0.1, 7), {"end_learning_rate": 0.01, "power": 0.5, "cycle": True}),
    "cosine": ("CosineDecay", (0.1, 13), {"alpha": 0.1}),
    "cosine_warmup": ("CosineDecay", (0.0, 13), {"alpha": 0.1, "warmup_target": 0.2, "warmup_steps": 5}),
    "cosine_no_target": ("CosineDecay", (0.1, 13), {"warmup_steps": 5}),
    "cosine_no_steps": ("CosineDecay", (0.1, 13), {"warmup_target": 0.3}),
    "restarts": ("CosineDecayRestarts", (0.1, 5), {}),
    "restarts_all": ("CosineDecayRestarts", (0.1, 4), {"t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1}),
    "restarts_even": ("CosineDecayRestarts", (0.1, 4), {"t_mul": 1.0, "m_mul": 0.8}),
}
SCHEDULE_STEPS = range(30)


def start() -> dict[str, np.ndarray]:
    """The first values of the variables."""
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape).astype("float32") for name, shape in SHAPES.items()}


def gradients(step: int) -> list[np.ndarray]:
    """The gradients of one step; those of the bias are zero at first, as happens to units that are not reached."""
    random = np.random.default_rng(100 + step)
    made = [random.normal(size=shape).astype("float32") for shape in SHAPES.values()]
    if step == 0:
        made[1] = np.zeros_like(made[1])
    return made


def make(keras, cls: str, arguments: dict):
    """The optimizer of one row, from either package."""
    rate = arguments.get("learning_rate")
    if isinstance(rate, dict):
        rest = {name: value for name, value in rate.items() if name != "schedule"}
        arguments = {**arguments, "learning_rate": getattr(keras.optimizers.schedules, rate["schedule"])(**rest)}
    return getattr(keras.optimizers, cls)(**arguments)
