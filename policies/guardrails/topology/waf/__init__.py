"""Web ACLs: what they stand in front of, and what they do with one request."""
