"""The policy packs; each folder is one."""
