"""Writes what a session holds in the formats of other programs."""
