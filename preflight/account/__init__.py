"""What the commands that query a real account share: the lines of a result, how they are printed, and the session."""
