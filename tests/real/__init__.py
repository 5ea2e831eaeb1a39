"""Tests against real servers, started as children on loopback."""
