"""The recording format: writer and reader side by side."""
