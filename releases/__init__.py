"""Releases: manifests, prompts, who reviews them, the record of deployments, promotion and rollback."""
