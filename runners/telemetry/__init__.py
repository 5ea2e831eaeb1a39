"""Logs now; traces and metrics are rendered of the store's rows."""
