"""``preflight verify STACK``: hold the live host and the account to the recorded graph of the stack, after ``up``."""
