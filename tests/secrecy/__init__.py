"""Where the mark of a secret may stand, and that no verdict follows from it."""
