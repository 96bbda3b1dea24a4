"""Compares the recordings of several environments, or of two git refs."""
