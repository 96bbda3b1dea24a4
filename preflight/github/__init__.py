"""``preflight github``: who may change production, according to the repository's settings on GitHub."""
