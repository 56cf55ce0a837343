"""Runs several programs, one after the other, in one process under `hornbeam run`, each as `__main__` of its own.

What it writes to `results.json` is the traceback of each by name, empty where it ran to its end.
"""

import json
import runpy
import sys
import traceback
from pathlib import Path

results = {}
for path in sys.argv[1:]:
    try:
        runpy.run_path(path, run_name="__main__")
        results[path] = ""
    except Exception:
        results[path] = traceback.format_exc()
Path("results.json").write_text(json.dumps(results))
