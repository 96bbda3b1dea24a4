"""The package that a callback imports from."""
