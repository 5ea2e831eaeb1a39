"""The rule to set up inside a ticketing system so that a canary's ticket meets no agent and no customer."""
