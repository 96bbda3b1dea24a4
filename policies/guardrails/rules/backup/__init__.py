"""Policies on AWS Backup and other copies."""
