"""The upstreams of a preset as the proxy calls them: names, credentials and the way to each kind."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from components.egress.identity import CLIENT_CERTIFICATE as EGRESS_CERTIFICATE
from components.egress.identity import CLIENT_PRIVATE_KEY as EGRESS_PRIVATE_KEY
from components.egress.settings import PORT as EGRESS_PORT
from components.egress.settings import host_name as egress_host_name
from components.gateway.identity import CLIENT_CERTIFICATE as GATEWAY_CERTIFICATE
from components.gateway.identity import CLIENT_PRIVATE_KEY as GATEWAY_PRIVATE_KEY
from components.gateway.identity import host_name as gateway_host_name
from components.gateway.settings import PORT as GATEWAY_PORT
from components.models.iam_documents import ModelGroupArgs, ModelUpstreamArgs, UpstreamKind
from components.proxy.settings import ProxyEgress, ProxyUpstream

GATEWAY_CERTIFICATE_VARIABLE, GATEWAY_KEY_VARIABLE = "GATEWAY_CLIENT_CERTIFICATE", "GATEWAY_CLIENT_PRIVATE_KEY"
EGRESS_CERTIFICATE_VARIABLE, EGRESS_KEY_VARIABLE = "EGRESS_CLIENT_CERTIFICATE", "EGRESS_CLIENT_PRIVATE_KEY"
CLIENT_SECRETS: Mapping[UpstreamKind, Mapping[str, str]] = {
    UpstreamKind.GATEWAY: {
        GATEWAY_CERTIFICATE_VARIABLE: GATEWAY_CERTIFICATE,
        GATEWAY_KEY_VARIABLE: GATEWAY_PRIVATE_KEY,
    },
    UpstreamKind.EXTERNAL: {
        EGRESS_CERTIFICATE_VARIABLE: EGRESS_CERTIFICATE,
        EGRESS_KEY_VARIABLE: EGRESS_PRIVATE_KEY,
    },
}
"""Kind of upstream → the proxy's variables with the certificate that it shows to the gateway or the egress proxy."""


def kinds(groups: Iterable[ModelGroupArgs]) -> set[UpstreamKind]:
    """The kinds of the groups' upstreams."""
    return {UpstreamKind(upstream.kind) for group in groups for upstream in group.upstreams}


def upstream_name(group: str, host_name: str, port: int) -> str:
    """The name at the proxy of an upstream with a host. Neither group nor host names contain colons, so the names are unique."""
    return f"{group}:{host_name}:{port}"


def model_key_variable(group: str, host_name: str, port: int) -> str:
    """The proxy's environment variable with the upstream's API key. Names that differ only in characters that a variable cannot
    contain get different variables."""
    digest = hashlib.sha256(upstream_name(group, host_name, port).encode()).hexdigest()
    return f"MODEL_KEY_{group.upper().replace('-', '_')}_{digest[:8].upper()}"


def key_secrets(groups: Iterable[ModelGroupArgs]) -> dict[str, str]:
    """Variable of the proxy → the secret of a client certificate, or the name of an API key."""
    groups = list(groups)
    found = {
        _key_variable(group.name, upstream): upstream.api_key.name
        for group in groups
        for upstream in group.upstreams
        if upstream.api_key is not None
    }
    for kind, secrets in CLIENT_SECRETS.items():
        if kind in kinds(groups):
            found |= secrets
    return found


def proxy_egress(environment: str, authority: str) -> ProxyEgress:
    """How the proxy finds and trusts the egress proxy, whose CA is ``authority``."""
    return ProxyEgress(
        host_name=egress_host_name(environment),
        port=EGRESS_PORT,
        ca_certificate=authority,
        client_certificate_variable=EGRESS_CERTIFICATE_VARIABLE,
        client_private_key_variable=EGRESS_KEY_VARIABLE,
    )


def proxy_upstream(
    environment: str, group: str, upstream: ModelUpstreamArgs, known: Mapping[str, Any]
) -> ProxyUpstream:
    """One upstream of a group. ``known``: the values of ``PresetArgs.outputs``."""
    kind = UpstreamKind(upstream.kind)
    match kind:
        case UpstreamKind.PRIVATE:
            return ProxyUpstream(
                name=upstream_name(group, upstream.host_name, upstream.port),
                host_name=upstream.host_name,
                port=upstream.port,
                address=known["names"][upstream.endpoint_service] if upstream.endpoint_service else "",
                ca_certificate=upstream.ca_certificate,
                api_key_variable=_key_variable(group, upstream),
            )
        case UpstreamKind.EXTERNAL:
            return ProxyUpstream(
                name=upstream_name(group, upstream.host_name, upstream.port),
                host_name=upstream.host_name,
                path_prefix=upstream.path_prefix,
                through_egress=True,
                api_key_variable=_key_variable(group, upstream),
            )
        case UpstreamKind.GATEWAY:
            return ProxyUpstream(
                name=f"{group}:gateway",
                host_name=gateway_host_name(environment),
                port=GATEWAY_PORT,
                ca_certificate=known["gateway"],
                client_certificate_variable=GATEWAY_CERTIFICATE_VARIABLE,
                client_private_key_variable=GATEWAY_KEY_VARIABLE,
            )
        case UpstreamKind.BEDROCK_MANTLE:
            return ProxyUpstream(
                name=f"{group}:bedrock-mantle-{upstream.region}",
                host_name=f"bedrock-mantle.{upstream.region}.api.aws",
                path_prefix=upstream.path_prefix,
                signing_region=upstream.region,
                signing_service=upstream.signing_service,
            )
        case UpstreamKind.BEDROCK:
            return _bedrock(group, upstream.region, known)
        case _:
            assert_never(kind)


def _bedrock(group: str, region: str, known: Mapping[str, Any]) -> ProxyUpstream:
    if region not in known["ids"]:
        raise ValueError(
            f"guardrail_ids has no guardrail in {region}, and no prompt is sent without one: pass guardrail_ids and "
            "guardrail_versions of ModelAccess with the same groups"
        )
    return ProxyUpstream(
        name=f"{group}:bedrock-{region}",
        host_name=f"bedrock-runtime.{region}.amazonaws.com",
        path_prefix="/openai/v1",
        signing_region=region,
        headers=(
            ("x-amzn-bedrock-guardrailidentifier", known["ids"][region]),
            ("x-amzn-bedrock-guardrailversion", known["versions"][region]),
        ),
    )


def _key_variable(group: str, upstream: ModelUpstreamArgs) -> str:
    return "" if upstream.api_key is None else model_key_variable(group, upstream.host_name, upstream.port)
