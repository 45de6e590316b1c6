"""A hand of synthetic fingers, and what the scripted people share."""
