"""Ticketing vendors that can't be started here, each made of its published contract and never of an adapter.

Every fact has its source beside it: a page of the vendor's documentation by its title, or a client's source by its
path. ``[M]`` marks what is from memory alone: an adapter must not rest on it.
"""
