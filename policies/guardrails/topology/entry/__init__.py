"""Entry points from the internet: load balancers, gateways, distributions, public services."""
