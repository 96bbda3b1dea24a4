"""Policies on ECS services and task definitions."""
