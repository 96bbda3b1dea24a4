"""Measurements that a person starts; their results are in ``docs/measurements.md``."""
