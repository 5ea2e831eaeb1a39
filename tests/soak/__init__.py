"""Canaries for a long time, with faults by chance: what must hold then, and how the process grows."""
