"""The positions at which the engine can mark a secret; no verdict depends on them."""
