"""Masked Depth Modeling: colour and incomplete depth in, metric depth out."""
