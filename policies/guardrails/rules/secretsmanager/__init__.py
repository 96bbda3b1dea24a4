"""Policies on Secrets Manager."""
