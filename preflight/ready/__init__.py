"""``preflight ready STACK``: what a first ``pulumi up`` would meet in the account, asked before it happens."""
