"""What the recordings of several environments, or of two git refs, say beside each other."""
