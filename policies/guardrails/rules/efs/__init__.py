"""Policies on EFS file systems."""
