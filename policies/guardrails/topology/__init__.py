"""The analysis of a stack's resources: the resource graph, addresses, reachability and the path of a request.

Pure Python on the standard library: nothing here imports Pulumi or anything else of this repository.
"""
