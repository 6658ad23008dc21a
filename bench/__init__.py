"""Benchmarks: each prints a ratio against a named reference measured in the same run, because
absolute times on shared machines say little. `make bench`, or `python -m bench NAME …`."""
