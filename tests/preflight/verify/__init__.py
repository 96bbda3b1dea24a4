"""``preflight verify``."""
