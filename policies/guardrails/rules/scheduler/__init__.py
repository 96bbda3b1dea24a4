"""Policies on EventBridge Scheduler."""
