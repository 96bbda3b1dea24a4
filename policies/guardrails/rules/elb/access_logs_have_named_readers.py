"""The bucket for access logs of load balancers and of S3 denies reads to all principals except named roles.

Access logs contain request lines, including query strings and the names of files; without the Deny, any role with read access to all
buckets can read them. The log of a bucket in which only AWS names objects, such as a trail's, has nothing that people chose.

Reviewers decide which roles the Deny may exempt, so this is advisory.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import undecided
from ...joins import LOGGINGS, buckets_of, buckets_of_balancers, configurations_of
from ...rule import Level, Rule, Settings, Severity, stack_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Graph
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import Statement, statements

_WANTED = "a statement that denies s3:GetObject to all principals, except by a condition on named roles"
_NAMING = ("cloudtrail.Trail", "cfg.DeliveryChannel")
"""Services that name every object that they write."""
_FIX = "deny s3:GetObject in the bucket policy, with a condition that exempts the roles of the readers"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each bucket that takes access logs."""
    for urn in sorted(_with_words_of_people(graph)):
        bucket = graph.by_urn[urn]
        documents = [(p, document_at(p, "policy")) for p in configurations_of(graph, bucket, "s3.BucketPolicy")]
        unclear = [found for p, of in documents for found in undecided(p, "policy", of, _WANTED, _FIX)]
        if unclear:
            yield from unclear
        elif not any(_denies(item) for _, of in documents for item in statements(of)):
            what = "is readable by account-wide roles"
            yield violated(bucket, "policy", "no such statement", _WANTED, _FIX, what=what)


def _with_words_of_people(graph: Graph) -> set[str]:
    """URNs of the buckets with logs of requests that people word, or of buckets in which people name objects."""
    named_by_aws = {
        bucket.urn for writer in graph.of_type(*_NAMING) for bucket in buckets_of(graph, writer, "s3BucketName")
    }
    found = buckets_of_balancers(graph)
    for logging in graph.of_type(*LOGGINGS):
        logged = {bucket.urn for bucket in buckets_of(graph, logging, "bucket")}
        if not logged or logged - named_by_aws:
            found |= {bucket.urn for bucket in buckets_of(graph, logging, "targetBucket")}
    return found


def _denies(statement: Statement) -> bool:
    by_transport = "aws:securetransport" in statement.keys
    return not statement.allows and statement.is_for_everyone and statement.covers("s3:GetObject") and not by_transport


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("lb.LoadBalancer", *LOGGINGS),
    level=Level.ADVISORY,
)
