"""Simulated rooms as shards: stereo pairs, sensors, and many machines."""
