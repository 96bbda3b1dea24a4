"""Policies on what the internet reaches."""
