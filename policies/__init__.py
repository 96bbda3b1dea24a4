"""The policy packs, one per folder."""
