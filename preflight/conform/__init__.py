"""Checks a recorded graph against AWS's published data, to find what AWS would refuse before the deployment."""
