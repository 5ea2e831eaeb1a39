"""The faults of a contact form, as data: how each is made, and what the canary must come to."""
