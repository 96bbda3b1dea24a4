"""Policies on CloudWatch Logs."""
