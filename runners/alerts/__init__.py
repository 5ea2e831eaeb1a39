"""Alerts on their way to people: wording, routing, delivery, and one module a sink."""
