"""Policies on Lambda functions and API routes."""
