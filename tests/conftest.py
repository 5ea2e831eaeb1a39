"""Profiles of the property-based tests: quick by hand, thorough where it counts."""

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.contracts")  # a contract that fails says what it compared

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dev")

pytest_plugins = ("tests.left_out", "pytester")
