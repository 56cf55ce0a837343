"""`Running`: the steps of a trainer, as its `execution`s run them: what is done around each step, here or on replicas.

It knows no epochs and no sources of data.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from hornbeam import tree
from hornbeam.backend import active as backend
from hornbeam.scope import Trace, context
from hornbeam.training.execution import Execution
from hornbeam.training.hints import explain
from hornbeam.training.preparation import Preparation, struct_of
from hornbeam.training.results import check_results, host_number
from hornbeam.training.state_form import takes_state, with_state


class Running(Preparation):
    """The part of a `Trainer` that runs its steps."""

    def __getstate__(self) -> dict[str, Any]:
        """What `pickle` and `copy` take: all but the steps, which are compiled for this very object."""
        left_out = ("_kept", "_keeps", "train_function", "test_function", "predict_function")
        state = {name: value for name, value in super().__getstate__().items() if name not in left_out}  # type: ignore[attr-defined]
        return {**state, "_untracked_executions": {}}

    def _execution(self, phase: str) -> Execution:
        """How steps of this phase run; made anew when what is trainable has changed since."""
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        key = (phase, tuple([one._trainable_flags() for one in layers]))
        execution = self._untracked_executions.get(key)
        if execution is None:
            optimize = None if self._jit_compile in ("auto", None) else bool(self._jit_compile)
            compiled = self.jit_compile or (backend.graphs and not self._run_eagerly)
            execution = self._untracked_executions[key] = Execution(
                self._step_function(phase), compiled, self._quiet_step_function(phase), optimize
            )
        return execution

    def _step_function(self, phase: str) -> Callable[[Any], Any]:
        method = getattr(self, f"{phase}_step")
        step = with_state(self, method, phase) if takes_state(method) else method

        where = f"what {type(self).__name__}.{phase}_step returns"

        def ready(data: Any) -> Any:
            self._make_variables(data)
            with nullcontext() if phase == "train" else backend.no_gradients():
                try:
                    result = step(data)
                except Exception as problem:
                    explain(problem)
                    raise
            if self.__dict__.get("_keeps") and "_kept" not in self.__dict__:
                self.__dict__["_kept"] = {}  # from the second step on, since the first one may make variables
            if phase != "predict":
                # said here, within the step, since a compiled step that raises changes nothing
                check_results(result, where)
            return result

        return ready if self.distribute_strategy is None else self._on_replicas(ready, phase)

    def _on_replicas(self, step: Callable[[Any], Any], phase: str) -> Callable[[Any], Any]:
        """A step on the replicas of the strategy: each has its rows of the batch, and results are those of all."""
        seen: list[Any] = []

        def over_replicas(data: Any) -> Any:
            with backend.in_strategy(self.distribute_strategy):
                if context.trace is not None:  # nothing runs: what matters are variables and the form of the result
                    return step(data)
                if not seen:
                    with Trace():  # makes all variables, which replicas could not
                        backend.abstract(step, tree.map_structure(struct_of, data))
                    seen.append(True)
                kept = [one._handle for one in self.metrics_variables]
                results = backend.on_replicas(self.distribute_strategy, step, data, kept)
                if phase == "predict":
                    return tree.map_structure(lambda *parts: backend.xp.concatenate(parts, axis=0), *results)
                logs = tree.map_structure(lambda *parts: sum(parts[1:], parts[0]) / len(parts), *results)
                gathered = self.get_metrics_result()  # metrics that all replicas filled
                return {**logs, **{name: value for name, value in gathered.items() if name in logs}}

        return over_replicas

    def _quiet_step_function(self, phase: str) -> Callable[[Any], Any]:
        """The step, which need not compute results; it leaves them out where all that makes them is ours."""
        step = self._step_function(phase)
        if self._has_own("compute_metrics", "get_metrics_result"):
            return step

        def quietly(data: Any) -> Any:
            self.__dict__["_quiet"] = "_kept" in self.__dict__
            try:
                return step(data)
            finally:
                self.__dict__["_quiet"] = False

        return quietly

    def _host_logs(self, result: dict[str, Any]) -> dict[str, Any]:
        """Results as Python numbers, by name; results within a result stand beside the others."""
        logs: dict[str, Any] = {}
        for name, value in sorted(result.items()):
            logs.update(self._host_logs(value) if isinstance(value, dict) else {name: host_number(value)})
        return logs

    # --- older spellings ---------------------------------------------------------------------------------------

    def make_train_function(self, force: bool = False) -> Any:
        """Gets the training step ready; kept for programs that call it."""
        if force:
            self._untracked_executions = {}
        self.train_function = self._execution("train").batch
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        """Gets the evaluation step ready; kept for programs that call it."""
        if force:
            self._untracked_executions = {}
        self.test_function = self._execution("test").batch
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Any:
        """Gets the prediction step ready; kept for programs that call it."""
        if force:
            self._untracked_executions = {}
        self.predict_function = self._execution("predict").batch
        return self.predict_function
