"""Policies on AWS WAF."""
