"""Loaders, windows, splits and pictures give what PyPI's keras gives for the same files and arrays."""

import numpy as np
import pytest

import hornbeam
from tests.data import cases
from tests.data.record_oracle import ORACLE

# What differs by roundings, of 255. Keras's loaders take the bicubic kernel from a table, as ours; its smart_resize
# does so on some backends, not on others.
TOLERANCE = {"resize": 2e-3, "smart": 0.12}


@pytest.fixture(scope="module")
def answers():
    pytest.importorskip("PIL", reason="the data extra")
    return cases.answers(hornbeam)


with np.load(ORACLE) as _loaded:
    EXPECTED = dict(_loaded)


def test_the_same_cases_were_asked(answers):
    assert set(answers) == set(EXPECTED), "run python -m tests.data.record_oracle"


@pytest.mark.parametrize("kind", sorted({name.partition("/")[0] for name in EXPECTED}))
def test_as_keras(answers, kind):
    wrong = []
    for name in (one for one in EXPECTED if one.startswith(f"{kind}/")):
        ours, theirs = answers[name], EXPECTED[name]
        if ours.shape != theirs.shape or (kind not in ("series", "split") and ours.dtype.kind != theirs.dtype.kind):
            wrong.append(f"{name}: {ours.dtype}{ours.shape}, Keras {theirs.dtype}{theirs.shape}")
        elif theirs.dtype.kind in "US":
            if ours.tolist() != theirs.tolist():
                wrong.append(f"{name}: {ours.tolist()}, Keras {theirs.tolist()}")
        elif not np.allclose(ours, theirs, rtol=0, atol=TOLERANCE.get(kind, 1e-6)):
            wrong.append(f"{name}: off by {np.abs(ours.astype(float) - theirs).max()}")
    assert not wrong, "\n".join(wrong)
