"""Checks of a recorded graph against AWS's own published data: what AWS would refuse, found before it is asked."""
