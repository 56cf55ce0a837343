"""Recurrent layers and attention: the tests of their rows."""

from tests.conformance.layer_checks import make_tests

globals().update(make_tests("recurrent", "attention"))
