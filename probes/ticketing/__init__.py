"""Ticketing systems: one adapter a vendor, and the watcher that looks into them for all canaries at once."""
