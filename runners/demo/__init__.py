"""The demonstration: a whole intake on loopback, probed, broken, shown found, and healed."""

from runners.demo.story import main

__all__ = ["main"]
