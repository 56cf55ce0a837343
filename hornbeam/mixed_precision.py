"""`hornbeam.mixed_precision`: the dtype policies under their older names, and the optimizer that scales losses."""

from hornbeam._lazy import attach
from hornbeam.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",  # noqa: F822  by __getattr__
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
# optimizers lie above policies, so this one name loads when it is asked for
__getattr__, __dir__ = attach(__name__, {"LossScaleOptimizer": "hornbeam.optimizers"})
