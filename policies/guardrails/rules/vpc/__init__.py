"""Policies on VPC networking."""
