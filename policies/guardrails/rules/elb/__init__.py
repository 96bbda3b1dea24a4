"""Policies on Elastic Load Balancing."""
