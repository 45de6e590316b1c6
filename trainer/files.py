"""What lies in the folder of a run; without torch, so that the window can look there at once."""

CHECKPOINT = "checkpoint.pt"
CONFIG = "config.json"
WEIGHTS = "weights.safetensors"
PROGRESS = "progress.jsonl"
STOP = "stop"
"""The trainer looks for this file after every step and ends when it is there."""
