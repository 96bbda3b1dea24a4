"""Addresses, security groups, network ACLs, routes, where each interface stands, and paths between them."""
