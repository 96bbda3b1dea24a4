"""Policies on S3 buckets."""
