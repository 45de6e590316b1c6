"""Recording sessions and keeping the library of them."""
