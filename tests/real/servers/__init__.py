"""Real servers for tests and scripts: each module starts one kind, as a child on loopback."""
