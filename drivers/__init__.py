"""Cameras and recordings as frames: what an SDK or a file delivers, in our types."""
