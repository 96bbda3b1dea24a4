"""``preflight runbook``: every alarm's page, its commands, and the values that are filled in."""
