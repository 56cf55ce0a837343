"""Writes today's counts to ratchet.json; run it when names were added: `python -m tests.api.raise_ratchet`."""

import json
from pathlib import Path

from hornbeam.cli import api

RATCHET = Path(__file__).with_name("ratchet.json")


def counts() -> dict[str, int]:
    found = api.findings(api.read_names())
    return {
        "there": sum(one.status != "missing" for one in found),
        "same": sum(one.status == "same" for one in found),
    }


if __name__ == "__main__":
    old, new = json.loads(RATCHET.read_text()), counts()
    fallen = [name for name in old if new[name] < old[name]]
    if fallen:
        raise SystemExit(f"{', '.join(fallen)} fell: {old} -> {new}")
    RATCHET.write_text(json.dumps(new) + "\n")
    print(f"{old} -> {new}")
