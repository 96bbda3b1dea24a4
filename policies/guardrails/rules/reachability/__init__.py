"""Policies on reachability from the internet."""
