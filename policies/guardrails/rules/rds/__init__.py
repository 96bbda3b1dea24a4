"""Policies on RDS databases."""
