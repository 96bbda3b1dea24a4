"""The resources that a run of the program registers."""
