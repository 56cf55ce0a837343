"""The public face for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam import (
    activations as activations,
    backend as backend,
    callbacks as callbacks,
    config as config,
    constraints as constraints,
    data as data,
    datasets as datasets,
    dtype_policies as dtype_policies,
    initializers as initializers,
    layers as layers,
    legacy as legacy,
    losses as losses,
    metrics as metrics,
    mixed_precision as mixed_precision,
    models as models,
    ops as ops,
    optimizers as optimizers,
    preprocessing as preprocessing,
    random as random,
    regularizers as regularizers,
    saving as saving,
    tree as tree,
    utils as utils,
    visualization as visualization,
)
from hornbeam.config import (
    device as device,
    version as version,
)
from hornbeam.dtype_policies import (
    DTypePolicy as DTypePolicy,
    FloatDTypePolicy as FloatDTypePolicy,
)
from hornbeam.graph import Function as Function
from hornbeam.initializers import Initializer as Initializer
from hornbeam.install import install_as_keras as install_as_keras
from hornbeam.layers import (
    Input as Input,
    InputSpec as InputSpec,
    Layer as Layer,
)
from hornbeam.layers.remat import RematScope as RematScope
from hornbeam.losses import Loss as Loss
from hornbeam.metrics import Metric as Metric
from hornbeam.models import (
    Model as Model,
    Sequential as Sequential,
)
from hornbeam.optimizers import Optimizer as Optimizer
from hornbeam.regularizers import Regularizer as Regularizer
from hornbeam.scope import name_scope as name_scope
from hornbeam.stateless import (
    StatelessScope as StatelessScope,
    SymbolicScope as SymbolicScope,
)
from hornbeam.symbolic import (
    KerasTensor as KerasTensor,
    Operation as Operation,
)
from hornbeam.tape import GradientTape as GradientTape
from hornbeam.transforms import (
    custom_gradient as custom_gradient,
    grad as grad,
    jit as jit,
    remat as remat,
    stop_gradient as stop_gradient,
    value_and_grad as value_and_grad,
)
from hornbeam.variable import Variable as Variable

__version__: str
keras_version: str
