"""Computed values in AWS's shape, for a program that runs without AWS."""
