"""A room made of simple shapes, and the sensors that fail on it."""
