"""Runs the contestants of a benchmark in processes of their own, in turns, and prints medians and ratios.

A benchmark file has a dict of functions that give seconds (one number, or a list), and calls `main`. A function that
measures several things in turn, in its one process, gives a dict of lists instead, by the names they are shown under.
Each contestant runs in a fresh process, several rounds in alternation, so that noise of the machine meets all.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Contestant = Callable[[], float | list[float] | dict[str, list[float]]]


def environment(backend: str = "jax") -> dict[str, str]:
    """The environment of a contestant: its backend, and no chatter."""
    return {
        **os.environ,
        "KERAS_BACKEND": backend,
        "HORNBEAM_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]),
    }


def main(
    question: str,
    contestants: Mapping[str, Contestant],
    peers: Mapping[str, str],
    goals: Mapping[str, float],
    rounds: int = 3,
    unit: str = "ms",
) -> None:
    """Runs and prints one benchmark.

    Args:
        question: What is compared.
        contestants: By name; each gives the seconds it took. A backend in brackets, as in "keras[torch]", is the one
            that it runs on, ours or Keras's; without brackets it is JAX.
        peers: For each contestant of ours the peer it is held against; several as "a,b" mean the fastest.
        goals: The ratio each is to stay under.
        rounds: How often each runs.
        unit: "ms", "us" or "s".
    """
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--worker")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--only", help="names of contestants, separated by commas")
    options = parser.parse_args()
    if options.worker:
        result = contestants[options.worker]()
        if not isinstance(result, dict):
            result = {options.worker: result if isinstance(result, list) else [result]}
        print("RESULT " + json.dumps(result))
        return
    names = [one for one in contestants if options.only is None or one in options.only.split(",")]
    found: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    for turn in range(options.rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            for shown, seconds in _run(name).items():
                found[name].setdefault(shown, []).extend(seconds)
    times = {shown: seconds for name in names for shown, seconds in (found[name] or {name: []}).items()}
    scale = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    print(question)
    middle = {name: statistics.median(seconds) for name, seconds in times.items() if seconds}
    for name in times:
        if name not in middle:
            print(f"  {name:32s} failed or not installed")
            continue
        line = f"  {name:32s} {middle[name] * scale:10.2f} {unit}  (least {min(times[name]) * scale:.2f})"
        ours = [one for one in peers if one == name or one.split(" vs ")[0] == name]
        for key in ours:
            present = [one for one in peers[key].split(",") if one in middle]
            if present:
                best = min(present, key=lambda one: middle[one])
                ratio = middle[name] / middle[best]
                goal = goals.get(key)
                line += f"   {ratio:.2f} x {best}" + (f" (goal <= {goal})" if goal else "")
        print(line)


def _run(name: str) -> dict[str, list[float]]:
    backend = re.search(r"\[(\w+)\]", name)
    done = subprocess.run(
        [sys.executable, sys.argv[0], "--worker", name],
        env=environment(backend[1] if backend else "jax"),
        capture_output=True,
        text=True,
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[len("RESULT ") :])
    print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return {}
