"""Everything that paints: the only widgets."""
