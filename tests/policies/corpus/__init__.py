"""Changes that a reviewer would stop, changes that have to be named, and safe variants of them, by kind."""
