"""Benchmarks that are started by hand; the results are in ``docs/measurements.md``."""
