"""Tests of what the engine uses of Pulumi's SDKs."""
