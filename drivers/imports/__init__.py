"""Reads what other programs recorded, frame by frame."""
