"""The daemon's read-only page and its JSON."""
