"""How frames travel between threads: plain Python, no Qt, no torch."""
