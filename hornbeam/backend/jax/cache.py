"""Keeps compiled programs on disk, so that the second process starts its first step without compiling.

JAX's own persistent cache, in the user's cache folder, bounded, switched off by `HORNBEAM_JIT_CACHE=0`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jax

LIMIT = 2 << 30  # bytes on disk; JAX evicts the least recently used programs beyond it
_enabled = False


def folder() -> Path:
    """Where compiled programs lie: `$HORNBEAM_JIT_CACHE` if it is a path, else the user's cache folder."""
    chosen = os.environ.get("HORNBEAM_JIT_CACHE", "")
    if chosen not in ("", "0", "1"):
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "hornbeam" / "jit"


def enable() -> None:
    """Turns the cache on, once, unless the user said no or chose a cache folder of JAX's own."""
    global _enabled
    if _enabled:
        return
    _enabled = True
    if os.environ.get("HORNBEAM_JIT_CACHE") == "0" or jax.config.jax_compilation_cache_dir:
        return
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a read-only home: compile anew, as without a cache
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_compilation_cache_max_size", LIMIT)
    # small programs count too: a step of a small model compiles in half a second
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
