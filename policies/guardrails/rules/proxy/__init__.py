"""Policies on Envoy proxies in tasks."""
