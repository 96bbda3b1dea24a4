"""A container that verifies the database's certificate trusts the authority that issues it, in the database's region.

RDS has an authority for each region and key type. A bundle of another one is valid PEM and passes every other check; the
first connection fails.

Containers whose trust file is not written by the task's own plan are not checked: the file may be in the image.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from cryptography import x509

from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.conform.reaching.calls import containers, variables_of
from preflight.conform.reaching.model import TASK_DEFINITION
from preflight.conform.variables import PLAN
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording

RULE = "conform-database-trust"
AUTHORITIES = {"rds-ca-rsa2048-g1": "RSA2048 G1", "rds-ca-rsa4096-g1": "RSA4096 G1", "rds-ca-ecc384-g1": "ECC384 G1"}
"""``caCertIdentifier`` → the end of the authority's common name
(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html)."""
DEFAULT = "rds-ca-rsa2048-g1"
_VERIFYING = ("verify-ca", "verify-full")
"""The values of ``PGSSLMODE`` with which libpq verifies the certificate."""
_NAMES = ("endpoint", "readerEndpoint")


def authority(region: str, identifier: str) -> str:
    """The common name of the authority with this ``caCertIdentifier`` in a region; ``KeyError`` for an unknown one."""
    return f"Amazon RDS {region} Root CA {AUTHORITIES[identifier]}"


def findings(recording: Recording) -> list[Finding]:
    """The containers that do not trust their database, sorted; none for a stack without tasks or clusters."""
    graph = Graph.from_recorded(recording.resources)
    found = [one for task in graph.of_type(TASK_DEFINITION) for one in _of_a_task(recording.stack, graph, task)]
    return sorted(found, key=lambda one: (one.urn, one.headline))


def _of_a_task(stack: str, graph: Graph, task: Resource) -> Iterator[Finding]:
    variables = {str(one.get("name")): variables_of(one) for one in containers(task) or []}
    files: dict[str, str] = {}
    for plan in (one[PLAN] for one in variables.values() if PLAN in one):
        files |= json.loads(plan).get("files") or {}
    for name, given in variables.items():
        file = given.get("PGSSLROOTCERT", "")
        if given.get("PGSSLMODE") not in _VERIFYING or file not in files:
            continue
        trusted = _common_names(files[file])
        for wanted in _issuers(graph, given):
            if wanted not in trusted:
                yield _finding(stack, task, name, file=file, trusted=trusted, wanted=wanted)


def _issuers(graph: Graph, variables: Mapping[str, str]) -> list[str]:
    """The authorities of the instances of the cluster that a container connects to, sorted."""
    found: set[str] = set()
    for cluster in graph.of_type("rds.Cluster"):
        if variables.get("DATABASE_HOST") not in [cluster.value(one) for one in _NAMES]:
            continue
        region = str(cluster.value("arn")).split(":")[3:4]
        for instance in graph.of_type("rds.ClusterInstance"):
            identifier = str(instance.value("caCertIdentifier") or DEFAULT)
            if instance.value("clusterIdentifier") == cluster.value("clusterIdentifier") and identifier in AUTHORITIES:
                found |= {authority(one, identifier) for one in region}
    return sorted(found)


def _common_names(text: str) -> list[str]:
    """Return the subjects of the certificates in a file, sorted; empty if it contains none."""
    try:
        read = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return []
    names = (one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME) for one in read)
    return sorted(str(one.value) for several in names for one in several)


def _finding(stack: str, task: Resource, container: str, *, file: str, trusted: list[str], wanted: str) -> Finding:
    source, _, line = task.source.rpartition(":")
    return Finding(
        environment=stack,
        rule=RULE,
        verdict=Verdict.VIOLATED,
        headline=f"{task.label}.containerDefinitions[{container}].environment[PGSSLROOTCERT]: "
        "the container does not trust the database's certificate",
        urn=task.urn,
        found=f"{file} with {', '.join(trusted) or 'no certificate'}",
        wanted=wanted,
        fix="write the certificate of this authority from AWS's bundle for the region into the file",
        pack="conform",
        source_file=source,
        source_line=int(line) if line.isdigit() else 0,
    )
