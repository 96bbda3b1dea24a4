"""Policies on Cognito pools."""
