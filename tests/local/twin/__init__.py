"""The whole environment of a stack on this machine."""
