"""Is everything there and as it should be: what was looked at, how it is, what to do next."""
