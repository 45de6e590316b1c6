"""The desktop application: it owns every thread."""
