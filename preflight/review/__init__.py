"""The description of a stack and of a change for a reviewer, derived from the recorded graphs: sentences first."""
