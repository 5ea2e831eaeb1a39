"""Faults of a real portal, the sandbox's helpdesk, each made by its own switch."""

HELPDESK: tuple = ()
