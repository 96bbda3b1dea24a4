"""Web ACLs: the resources that they protect, and their effect on one request."""
