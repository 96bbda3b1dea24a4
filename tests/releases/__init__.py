"""Tests of the release manifests."""
