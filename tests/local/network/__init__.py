"""The network of a stack in namespaces."""
