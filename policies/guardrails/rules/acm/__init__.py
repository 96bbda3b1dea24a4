"""Policies on ACM certificates."""
