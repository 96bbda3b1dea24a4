"""The egress proxy's components."""
