"""A separate Pulumi project that creates the prerequisites of an account's environments."""
