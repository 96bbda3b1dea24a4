"""Policies on ElastiCache."""
