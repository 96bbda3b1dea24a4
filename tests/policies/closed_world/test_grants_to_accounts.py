"""A grant to a literal account blocks before the stack's own account is known, for every type that can name a principal."""

from __future__ import annotations

from typing import Any

import pytest

from policies.guardrails.rules.iam.grants_stay_in_the_account import RULE
from policies.guardrails.shared_with import GIVEN_TO, SHARED_WITH
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.types import kinds
from policies.guardrails.topology.graph.verdicts import Verdict
from tests.policies.closed_world.generate import HARMLESS, holders, review_of
from tests.policies.closed_world.test_closed_world import nested
from tests.policies.wire import token

THEIRS = "444455556666"
NAMES = (THEIRS, f"arn:aws:iam::{THEIRS}:role/reader")
NO_ACCOUNT = {
    "cloudformation.StackSetInstance.accountId": "the account that receives resources, which is named",
    "cloudwatch.MetricAlarm.metricQueries.accountId": "the account whose metrics are read",
    "datazone.PolicyGrant.principal": "a user, group or project of the domain, which is named",
    "ec2.AmiLaunchPermission.organizationArn": "an organization, whose ARN names its management account",
    "ec2.AmiLaunchPermission.organizationalUnitArn": "an organization, whose ARN names its management account",
    "eks.AccessEntry.kubernetesGroups": "a group in the cluster",
    "lambda.Permission.principalOrgId": "an organization",
    "organizations.AwsServiceAccess.servicePrincipal": "a service",
    "organizations.DelegatedAdministrator.servicePrincipal": "a service",
    "organizations.Organization.awsServiceAccessPrincipals": "services, which are named",
    "ram.ResourceShare.allowExternalPrincipals": "whether the share may leave the organization, which is named",
    "redshift.IdcApplication.authorizedTokenIssuer.trustedTokenIssuerArn": "an issuer of tokens, which is named",
    "s3.Inventory.destination.bucket.accountId": "where data is sent, which is not proven",
    "securityhub.AutomationRule.criteria.awsAccountIds": "a filter of findings",
    "ssoadmin.AccountAssignment.principalId": "a user or group of the identity store, which is named",
    "ssoadmin.AccountAssignment.principalType": "a kind of principal",
    "ssoadmin.ApplicationAssignment.principalId": "a user or group of the identity store, which is named",
    "ssoadmin.ApplicationAssignment.principalType": "a kind of principal",
    "verifiedpermissions.Policy.definition.templateLinked.principal": "an entity of the policy store, which is named",
}
"""Properties with the name of a principal whose value is no account, or no grant to one."""


def _principals() -> list[tuple[str, str]]:
    """Each property of the provider's types that the pack evaluates or names, and that can hold a principal."""
    evaluated = sorted(kind for kind, row in kinds().items() if row.class_ in ("modelled", "grants"))
    return [
        (kind, path)
        for kind in evaluated
        for path, what in holders(kind).items()
        if what == "a principal" and not ((row := review_of(kind, path)) and row.verdict == HARMLESS)
    ]


def verdicts(kind: str, properties: dict[str, Any]) -> set[Verdict]:
    resource = Resource("urn:x", token(kind), "x", properties=properties)
    return {finding.verdict for finding in RULE.evaluate(Graph([resource]), RULE.settings({}))}


@pytest.mark.slow
def test_a_principal_of_another_account_blocks_whatever_the_type() -> None:
    found = _principals()
    assert len(found) > len(NO_ACCOUNT)
    passed = {
        f"{kind}.{path}"
        for kind, path in found
        if not all(Verdict.VIOLATED in verdicts(kind, nested(path, name)) for name in NAMES)
    }
    assert sorted(passed) == sorted(NO_ACCOUNT)


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in {**GIVEN_TO, **SHARED_WITH}.items() for path in paths]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_grant_of_the_table_blocks(kind: str, path: str, name: str) -> None:
    assert verdicts(kind, nested(path, name)) == {Verdict.VIOLATED}
