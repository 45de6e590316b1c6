"""Sessions and synthetic scenes become weights."""
