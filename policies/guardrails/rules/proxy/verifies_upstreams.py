"""An Envoy proxy in a task uses TLS for every upstream outside the task and verifies the upstream's certificate.

Without a list of trusted CAs Envoy accepts any certificate, so a prompt could be sent to an impostor.

The policy reads configurations in the task definition, not those in an image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ...checks import containers, listed
from ...proxies import is_local, nodes_in, proxy_of
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, violated

_WANTED = "TLS with trusted_ca and the names allowed in the certificate"
_FIX = "give the cluster a TLS transport_socket whose validation_context has trusted_ca and matched names"
_TRUST = ("trusted_ca", "ca_certificate_provider_instance", "verify_certificate_hash", "verify_certificate_spki")
_NAMES = (
    "match_typed_subject_alt_names",
    "match_subject_alt_names",
    "verify_certificate_hash",
    "verify_certificate_spki",
)


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each cluster of each Envoy proxy of a task definition."""
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        proxy = proxy_of(container)
        tunnels = proxy.tunnels() if proxy is not None else ()
        for number, cluster in enumerate(proxy.clusters() if proxy is not None else ()):
            place = container.path(f"clusters[{cluster.get('name') or number}].transport_socket")
            if _leaves(cluster, tunnels):
                yield from _cluster(resource, place, cluster)


def _leaves(cluster: dict[str, Any], tunnels: Collection[str]) -> bool:
    """Whether the cluster is outside the task: its address is not loopback, or only Envoy resolves it, or it is a listener of
    Envoy's own that opens a tunnel."""
    listeners = {node.get("server_listener_name") for node in nodes_in(cluster.get("load_assignment"))}
    if listeners & set(tunnels):
        return True
    sockets = [as_mapping(node.get("socket_address")) or {} for node in nodes_in(cluster.get("load_assignment"))]
    addresses = [socket["address"] for socket in sockets if "address" in socket]
    dynamic = cluster.get("type") in ("LOGICAL_DNS", "ORIGINAL_DST", "STRICT_DNS", "EDS") and not addresses
    return dynamic or any(not is_local(address) for address in addresses)


def _cluster(task: Resource, place: str, cluster: dict[str, Any]) -> Iterator[Finding]:
    config = as_mapping((as_mapping(cluster.get("transport_socket")) or {}).get("typed_config"))
    if config is None:
        yield violated(task, place, None, _WANTED, _FIX, what="sends clear text out of the task")
        return
    contexts = [as_mapping(node.get("validation_context")) for node in nodes_in(config)]
    known = {key for context in contexts for key, value in (context or {}).items() if value not in (None, [], {})}
    sds = any("validation_context_sds_secret_config" in node for node in nodes_in(config))
    if not known & set(_TRUST) and not sds:
        yield violated(task, place, "no trusted CA", _WANTED, _FIX, what="accepts any certificate")
    elif not known & set(_NAMES) and not sds and not _names_by_sni(cluster):
        yield violated(task, place, "no name", _WANTED, _FIX, what="accepts a certificate for any name")


def _names_by_sni(cluster: dict[str, Any]) -> bool:
    return any(
        node.get("auto_sni_san_validation") is True or node.get("auto_san_validation") is True
        for node in nodes_in(listed(cluster.get("typed_extension_protocol_options")))
    ) or any(node.get("auto_sni_san_validation") is True for node in nodes_in(cluster.get("transport_socket")))


RULE: Rule = resource_rule(
    __name__, __doc__, evaluate, severity=Severity.HIGH, remediation=_FIX, types=("ecs.TaskDefinition",)
)
