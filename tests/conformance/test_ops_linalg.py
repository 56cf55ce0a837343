"""The ops of linear algebra against Keras: the tests of their rows, and what no row can say."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.backend import active as backend
from tests.conformance.family_checks import make_tests

globals().update(make_tests("linalg"))

DRAW = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
SQUARE = DRAW @ DRAW.transpose(0, 2, 1) + np.eye(4, dtype="float32")


def arrays(result: tuple) -> list[np.ndarray]:
    return [ops.convert_to_numpy(one) for one in result]


@pytest.mark.parametrize("full", [False, True])
def test_singular_value_decompositions_multiply_back(full: bool) -> None:
    u, s, v = arrays(ops.linalg.svd(DRAW, full_matrices=full))
    np.testing.assert_allclose(u[..., :3] @ (s[..., None] * v[..., :3, :]), DRAW, atol=1e-5)


@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_orthogonal_and_triangular_factors_multiply_back(mode: str) -> None:
    q, r = arrays(ops.linalg.qr(DRAW, mode=mode))
    np.testing.assert_allclose(q @ r, DRAW, atol=1e-5)
    for one in q:
        np.testing.assert_allclose(one.T @ one, np.eye(q.shape[-1]), atol=1e-5)


@pytest.mark.parametrize("name", ["eigh", "eig"])
def test_eigenvectors_are_stretched_by_eigenvalues(name: str) -> None:
    values, vectors = arrays(getattr(ops.linalg, name)(SQUARE))
    np.testing.assert_allclose(SQUARE @ vectors, vectors * values[:, None], atol=1e-3)


def test_half_precision_is_computed_in_single() -> None:
    for name in ("cholesky", "inv", "det", "norm"):
        assert ops.dtype(getattr(ops.linalg, name)(ops.cast(SQUARE, "float16"))) == "float16"


def test_vectors_are_solved_for_too() -> None:
    b = DRAW[:, :, 0]
    wanted = np.linalg.solve(SQUARE, b[..., None])[..., 0]
    np.testing.assert_allclose(ops.convert_to_numpy(ops.linalg.solve(SQUARE, b)), wanted, rtol=1e-3, atol=1e-4)


def test_directional_derivatives() -> None:
    if "gradients" not in backend.features:
        with pytest.raises(NotImplementedError):
            ops.linalg.jvp(ops.square, (1.0,), (1.0,))
        return
    value, slope = ops.linalg.jvp(ops.square, (np.float32(3.0),), (np.float32(2.0),))
    assert (float(value), float(slope)) == (9.0, 12.0)


def test_bad_input_is_refused_in_words() -> None:
    for call, text in (
        (lambda: ops.linalg.inv(DRAW), "square"),
        (lambda: ops.linalg.det(DRAW[0, 0]), "rank 2"),
        (lambda: ops.linalg.qr(DRAW, mode="full"), "Known: complete, reduced"),
        (lambda: ops.linalg.solve(SQUARE, DRAW[:, :2]), "for `a` of shape"),
        (lambda: ops.linalg.lstsq(DRAW, DRAW), r"\[m, n\]"),
        (lambda: ops.norm(DRAW, ord="fro", axis=0), "norms of vectors"),
        (lambda: ops.norm(DRAW, ord=3, axis=(0, 1)), "norms of matrices"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
