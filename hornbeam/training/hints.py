"""What to add to an error in a step of training, where the framework's own words do not say what to do."""

from __future__ import annotations

from hornbeam.backend import active as backend
from hornbeam.errors import HornbeamError
from hornbeam.variable import Variable

_OTHERS = {"jax", "tensorflow", "torch"} - {backend.name}
# names that programs written for one framework ask tensors, variables or models for
_NATIVE = dict.fromkeys(("backward", "zero_grad", "parameters", "requires_grad", "detach"), "torch")
_APPLYING = ("apply", "apply_gradients", "stateless_apply", "minimize")
_EVERYWHERE = "hornbeam.value_and_grad(function, variables) and hornbeam.GradientTape train on every backend."


def explain(problem: Exception) -> None:
    """Adds a note to an error that came out of a step, if its reason is known."""
    if isinstance(problem, HornbeamError):
        return
    framework = _framework_of(problem)
    if framework is not None:
        problem.add_note(
            f"This step is written for {framework}, and the backend is {backend.name}. Set "
            f"HORNBEAM_BACKEND={framework} before Keras is imported, or change the step: {_EVERYWHERE}"
        )
    elif backend.lacks_values(problem):
        problem.add_note(
            "While a step is compiled or a gradient taken, tensors have no values yet. Compute with hornbeam.ops "
            "(ops.where and ops.cond in place of `if`) and return results as tensors, not as numbers; to look at "
            "values, compile(..., run_eagerly=True)."
        )
    elif isinstance(problem, AttributeError) and problem.obj is None and problem.name in _APPLYING:
        problem.add_note("The model has no optimizer: give one to compile(optimizer=...).")
    elif isinstance(problem, AttributeError) and isinstance(problem.obj, Variable) and problem.name == "grad":
        problem.add_note(f"torch keeps a gradient at its parameter: `variable.value.grad`. {_EVERYWHERE}")


def _framework_of(problem: Exception) -> str | None:
    """The framework, other than the backend's, for which the lines that failed are written."""
    if isinstance(problem, AttributeError) and _NATIVE.get(problem.name) in _OTHERS:
        return _NATIVE[problem.name]
    trace = problem.__traceback__
    while trace is not None:
        root = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if root in _OTHERS:
            return root
        trace = trace.tb_next
    notes = getattr(problem, "__notes__", ())
    # JAX takes its own frames out of a traceback, and says so
    return "jax" if "jax" in _OTHERS and any("JAX" in note for note in notes) else None
