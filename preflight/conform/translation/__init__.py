"""The reviewed tables that turn the resources of a graph into CloudFormation resources."""

from __future__ import annotations

from preflight.conform.translation import account, data, edge, network, service
from preflight.conform.translation.kind import ModelledCall, TranslatedKind

TABLE: dict[str, TranslatedKind] = {
    **network.TABLE,
    **edge.TABLE,
    **service.TABLE,
    **data.TABLE,
    **account.TABLE,
}
"""Pulumi type → its translation."""

NOT_AWS = {
    "pulumi:providers:aws": "configures the provider; the region and the accounts are settings",
    "pulumi:providers:tls": "configures the provider; nothing is created in AWS",
    "tls:index/certRequest:CertRequest": "created in Pulumi's state only",
    "tls:index/locallySignedCert:LocallySignedCert": "created in Pulumi's state only",
    "tls:index/privateKey:PrivateKey": "created in Pulumi's state only",
    "tls:index/selfSignedCert:SelfSignedCert": "created in Pulumi's state only",
}
"""Types that no AWS API creates, with the reason."""

__all__ = ["NOT_AWS", "TABLE", "ModelledCall", "TranslatedKind"]
