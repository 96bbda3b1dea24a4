"""What a change of settings or program would do to a running stack: update in place, replace, or be refused."""
