"""The system under test: a whole support intake on loopback, a process of its own."""
