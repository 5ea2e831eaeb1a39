"""Tests of wording, routing, delivery and the sinks."""
