"""``preflight verify STACK``: after ``up``, compare the live host and the account with the recorded graph of the stack."""
