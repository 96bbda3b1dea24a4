"""The environment on one machine."""
