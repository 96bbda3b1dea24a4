"""Checks a recorded graph against AWS's published data, to find values that AWS would refuse before the deployment."""
