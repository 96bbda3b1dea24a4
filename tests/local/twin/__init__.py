"""The whole environment of a stack, played on this machine."""
