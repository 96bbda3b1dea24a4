"""What the commands that ask a real account share: the lines of an answer, how they are printed, and the session."""
