"""The faults that were tried on real servers, as data: how each was made, and what must come of it."""
