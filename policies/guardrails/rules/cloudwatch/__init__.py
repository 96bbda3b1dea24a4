"""Policies on CloudWatch alarms."""
