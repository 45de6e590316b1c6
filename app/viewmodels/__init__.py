"""The state of each panel, without widgets."""
