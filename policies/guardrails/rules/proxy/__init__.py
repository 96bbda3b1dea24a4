"""Policies on an Envoy in a task."""
