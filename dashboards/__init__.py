"""Dashboards and rules, generated from the names that telemetry uses."""
