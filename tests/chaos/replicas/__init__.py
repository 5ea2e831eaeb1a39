"""Daemons that share one PostgreSQL, killed, frozen and cut off by chance, on a clock that runs fast."""
