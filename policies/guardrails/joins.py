"""Relations between resources: the configurations of a bucket, the rules of a web ACL, the targets of a reference.

Each query uses an index that is built once for a graph, so that the time grows linearly with the stack.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from .topology.graph.documents import document_at
from .topology.graph.resources import Graph, References, Resource

BUCKETS = ("s3.Bucket", "s3.BucketV2")
_BUCKET_KEYS = ("id", "bucket", "arn")

_Question = tuple[tuple[str, ...], str, tuple[str, ...], tuple[str, ...]]
_INDEXES: WeakKeyDictionary[Graph, dict[_Question, dict[str, list[Resource]]]] = WeakKeyDictionary()


LOGGINGS = ("s3.BucketLogging", "s3.BucketLoggingV2")
ENCRYPTIONS = ("s3.BucketServerSideEncryptionConfiguration", "s3.BucketServerSideEncryptionConfigurationV2")


def buckets_of_records(graph: Graph) -> dict[str, Resource]:
    """URN → bucket of this stack that receives S3's own access logs."""
    return {
        bucket.urn: bucket
        for logging in graph.of_type(*LOGGINGS)
        for bucket in buckets_of(graph, logging, "targetBucket")
    }


def buckets_of_balancers(graph: Graph) -> set[str]:
    """URNs of the buckets that receive access logs of load balancers."""
    balancers = graph.of_type("lb.LoadBalancer")
    return {bucket.urn for balancer in balancers for bucket in buckets_of(graph, balancer, "accessLogs.bucket")}


def buckets_taking_logs(graph: Graph) -> set[str]:
    """URNs of the buckets that receive access logs of load balancers or of S3 itself."""
    return set(buckets_of_records(graph)) | buckets_of_balancers(graph)


def buckets_of(graph: Graph, resource: Resource, path: str) -> References:
    """The buckets that a property refers to, by name, id or ARN."""
    return graph.referenced(resource, path, BUCKETS, _BUCKET_KEYS)


def configurations_of(graph: Graph, bucket: Resource, *types: str) -> list[Resource]:
    """The resources of the given types that configure this bucket."""
    return _index(graph, (types, "bucket", BUCKETS, _BUCKET_KEYS)).get(bucket.urn, [])


def referring(
    graph: Graph, target: Resource, path: str, *types: str, keys: tuple[str, ...] = ("id", "arn")
) -> list[Resource]:
    """The resources of the given types whose property refers to ``target``."""
    return _index(graph, (types, path, (target.kind,), keys)).get(target.urn, [])


def topics_of(graph: Graph, resource: Resource, path: str) -> list[Resource]:
    """The topics that a property refers to, also through the policy that makes them usable."""
    found = graph.referenced(resource, path, ("sns.Topic",))
    policies = graph.referenced(resource, path, ("sns.TopicPolicy",), ("arn",))
    through = [topic for policy in policies for topic in graph.referenced(policy, "arn", ("sns.Topic",))]
    topics = {topic.urn: topic for topic in (*found, *through)}
    return [topics[urn] for urn in sorted(topics)]


_QUEUE_KEYS = ("arn", "id", "url")
_DEAD_LETTERS = {
    "cloudwatch.EventTarget": "deadLetterConfig.arn",
    "lambda.Function": "deadLetterConfig.targetArn",
    "scheduler.Schedule": "target.deadLetterConfig.arn",
    "sns.TopicSubscription": "redrivePolicy",
    "sqs.Queue": "redrivePolicy",
    "sqs.RedrivePolicy": "redrivePolicy",
}
"""Type → the property that names the queue for what cannot be delivered."""


def dead_letter_queues(graph: Graph) -> frozenset[str]:
    """URNs of the queues of this stack that keep what could not be delivered."""
    found: set[str] = set()
    for sender in graph.of_type(*_DEAD_LETTERS):
        path = _DEAD_LETTERS[sender.kind]
        # A redrive policy is a document that contains the ARN.
        value = document_at(sender, path).value if path == "redrivePolicy" else None
        named = graph.referenced(sender, path, ("sqs.Queue",), _QUEUE_KEYS, value=value)
        found.update(queue.urn for queue in named if queue.urn != sender.urn)
    return frozenset(found)


def _index(graph: Graph, question: _Question) -> dict[str, list[Resource]]:
    """Target → the resources of some types that refer to it by one property."""
    known = _INDEXES.setdefault(graph, {})
    if question not in known:
        types, path, targets, keys = question
        found: dict[str, list[Resource]] = {}
        for resource in graph.of_type(*types):
            for target in graph.referenced(resource, path, targets, keys):
                found.setdefault(target.urn, []).append(resource)
        known[question] = found
    return known[question]
