"""The trainer as a child process."""
