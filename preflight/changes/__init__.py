"""What a change of settings or program does to a stack that runs: in place, replaced, or refused, before anything runs."""
