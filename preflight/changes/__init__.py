"""The effect of a change of settings or program on a running stack: update in place, replacement, or refusal."""
