"""Addresses, security groups, network ACLs, routes, the placement of each interface, and the paths between them."""
