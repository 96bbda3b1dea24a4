"""Reference documents that are generated from the code, and what `explain` prints of a policy."""
