"""The faults of a portal, as data: how each is made, and what the canary must come to."""
