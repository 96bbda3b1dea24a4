"""Which resources belong together: the configurations of a bucket, the rules of a firewall, a reference's targets."""

from __future__ import annotations

from .topology.resources import Graph, References, Resource

BUCKETS = ("s3.Bucket", "s3.BucketV2")
_BUCKET_KEYS = ("id", "bucket", "arn")


def buckets_of(graph: Graph, resource: Resource, path: str) -> References:
    """The buckets that a property refers to, by name, id or ARN."""
    return graph.referenced(resource, path, BUCKETS, _BUCKET_KEYS)


def configurations_of(graph: Graph, bucket: Resource, *types: str) -> list[Resource]:
    """The resources of the given types that configure this bucket."""
    return [
        configuration
        for configuration in graph.of_type(*types)
        if any(found.urn == bucket.urn for found in buckets_of(graph, configuration, "bucket"))
    ]


def referring(
    graph: Graph, target: Resource, path: str, *types: str, keys: tuple[str, ...] = ("id", "arn")
) -> list[Resource]:
    """The resources of the given types whose property refers to ``target``."""
    return [
        resource
        for resource in graph.of_type(*types)
        if any(found.urn == target.urn for found in graph.referenced(resource, path, (target.kind,), keys))
    ]
