"""``preflight ready STACK``: check, before the first ``pulumi up``, that the account has what the stack needs."""
