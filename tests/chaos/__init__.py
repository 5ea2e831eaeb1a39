"""Crashes, overlaps, signals and full disks, on the running intake."""
