"""The ticketing adapter that is configuration alone: `type: http`."""
