"""Simulated rooms and sensors on torch tensors: everything stays on one device, several views at once."""
