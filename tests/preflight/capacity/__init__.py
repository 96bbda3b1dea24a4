"""Checks of the recorded graphs against AWS's own data."""
