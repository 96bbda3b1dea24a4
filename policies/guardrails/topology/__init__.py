"""The analysis of a stack's resources: the resource graph, addresses, reachability and the path of a request.

Pure Python on the standard library: this package imports neither Pulumi nor other packages of this repository.
"""
