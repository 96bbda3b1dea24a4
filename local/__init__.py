"""A stack on one machine: the path of a request on a laptop, or the whole environment in network namespaces."""
