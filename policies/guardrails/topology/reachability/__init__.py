"""Who can be reached from the internet, what lies behind, and what the model does not cover."""
