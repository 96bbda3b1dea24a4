"""``preflight due STACK``: what only time reveals in a running environment, and no metric, event or alarm reports."""
