"""``preflight ready STACK``: before the first ``pulumi up``, check that the account meets the stack's requirements."""
