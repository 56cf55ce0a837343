"""The ops of mathematics against Keras: the tests of their rows, and what no row can say."""

from __future__ import annotations

from tests.conformance.family_checks import make_tests

globals().update(make_tests("math"))
