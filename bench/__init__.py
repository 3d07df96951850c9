"""Benchmarks: figures for people to look at, not tests. `make bench-intake` runs the one of intake."""
