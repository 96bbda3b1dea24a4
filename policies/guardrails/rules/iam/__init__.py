"""Policies on IAM and resource policies."""
