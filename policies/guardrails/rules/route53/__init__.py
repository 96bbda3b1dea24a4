"""Policies on Route 53 and DNS Firewall."""
