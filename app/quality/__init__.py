"""How good depth is, in the words of Intel's Depth Quality Tool: pure functions of arrays."""
