"""Policies on any resource of a stack."""
