"""The reviewed tables that turn the resources of a graph into CloudFormation resources."""

from __future__ import annotations

from preflight.conform.translation import account, data, edge, network, service
from preflight.conform.translation.kind import Call, Kind

TABLE: dict[str, Kind] = {
    **network.TABLE,
    **edge.TABLE,
    **service.TABLE,
    **data.TABLE,
    **account.TABLE,
}
"""By Pulumi type."""

NOT_AWS = {
    "pulumi:providers:aws": "configures the provider; the region and the accounts are settings",
    "pulumi:providers:tls": "configures the provider; nothing at AWS",
    "tls:index/privateKey:PrivateKey": "made in the state, nothing at AWS",
    "tls:index/selfSignedCert:SelfSignedCert": "made in the state, nothing at AWS",
}
"""Types that no AWS API takes, with the reason."""

__all__ = ["NOT_AWS", "TABLE", "Call", "Kind"]
