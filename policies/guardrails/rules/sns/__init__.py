"""Policies on SNS topics."""
