"""The configuration of one account's bootstrap, read and reported like the main project's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from settings.configuration import Configuration, EnvironmentName
from settings.edge import RoleArn
from settings.errors import FailedChecksError, Problem, check, collected
from settings.sections import HostedZoneId
from settings.values import Section, Slug

SHARED = "shared"
"""The ``environment`` tag of resources that all environments of the account share. CI's roles may not change them."""


class Owner(Section):
    """The owner of the account's shared resources."""

    team: Slug
    """The ``owner`` tag of every resource."""


class Environment(Section):
    """An environment that is deployed into this account."""

    name: EnvironmentName
    """The stack's name in the main project."""
    hosted_zone_id: HostedZoneId | None = None
    """The zone whose records CI may change. Omitted: CI cannot change DNS records (you provide the certificate and DNS
    records)."""
    state_bucket: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
            Field(description="the name of an S3 bucket, for example example-pulumi-state"),
        ]
        | None
    ) = None
    """A bucket that contains only this environment's Pulumi state. Omitted: the state is in Pulumi Cloud."""
    model_keys: tuple[Slug, ...] = ()
    """A secret ``ai-interface/<environment>/model-key-<name>`` is created for each of these names, for the API key of a model
    server (``apiKeySecret`` of a private upstream). Its value is set with the AWS CLI."""
    alert_endpoints: tuple[Slug, ...] = ()
    """A secret ``ai-interface/<environment>/alert-<name>`` is created for each of these names, for the URL of a pager
    (``urlSecret`` in ``owner.subscriptions``). Its value is set with the AWS CLI."""

    @field_validator("model_keys", "alert_endpoints")
    @classmethod
    def _are_distinct(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        check(
            len(set(value)) == len(value),
            key="environments.modelKeys" if info.field_name == "model_keys" else "environments.alertEndpoints",
            value=", ".join(value),
            allowed="distinct names",
            fix="list each name once",
        )
        return value


class ContinuousIntegration(Section):
    """The workflows that may assume this account's roles."""

    repository: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$"),
        Field(description="a GitHub repository as owner/name, for example example/ai-interface"),
    ]
    existing_provider_arn: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com$"
            ),
            Field(
                description="the ARN of the account's provider for GitHub, "
                "arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com"
            ),
        ]
        | None
    ) = None
    """The account's OIDC provider for GitHub, if it already exists. Omitted: it is created."""


class Baseline(Section):
    """The parts of the account's baseline that bootstrap creates; `preflight ready` checks all of them. An organization often
    has them already."""

    trail: bool = False
    """A trail of all regions with validation of its log files, in an encrypted bucket. The alarms on changes need one."""
    guard_duty: bool = False
    """A GuardDuty detector in this region."""
    config: bool = False
    """A recorder of AWS Config for all types. AWS bills each recorded change."""
    access_analyzer: bool = False
    """An analyzer of access from outside the account in this region."""


class OnCall(Section):
    """Who may assume the read-only role ``ai-interface-<environment>-on-call`` of each environment."""

    principals: tuple[RoleArn, ...] = Field(min_length=1)
    """The ARNs of roles in this account, in which ``*`` and ``?`` are wildcards. A permission set of IAM Identity Center:
    ``arn:aws:iam::<account>:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*``."""


class BootstrapSettings(Configuration):
    """The settings of one account. The stack's name only distinguishes the accounts' files."""

    prefix: ClassVar[str] = "ai-interface-bootstrap:"
    subject: ClassVar[str] = "the bootstrap settings of stack"

    owner: Owner
    environments: tuple[Environment, ...] = Field(min_length=1)
    continuous_integration: ContinuousIntegration
    account_baseline: Baseline = Baseline()
    on_call: OnCall | None = None
    """Who may assume the on-call role. Omitted: there is none, and the runbook's commands need another role."""

    @field_validator("environments")
    @classmethod
    def _are_distinct(cls, value: tuple[Environment, ...]) -> tuple[Environment, ...]:
        names = [environment.name for environment in value]
        with collected():
            check(
                len(set(names)) == len(names),
                key="environments",
                value=", ".join(names),
                allowed="environments with distinct names",
                fix="name each environment once",
            )
            check(
                SHARED not in names,
                key="environments",
                value=SHARED,
                allowed="any other name: this one is the tag of shared resources",
                fix="rename the environment",
            )
        return value

    @classmethod
    def between_sections(cls, sections: Mapping[str, object]) -> list[Problem]:
        """An existing provider and the on-call engineers' roles must be in this account."""
        try:
            with collected():
                _compare(sections)
        except FailedChecksError as failed:
            return list(failed.problems)
        return []


def _compare(sections: Mapping[str, object]) -> None:
    on_call = sections.get("on_call")
    for principal in on_call.principals if isinstance(on_call, OnCall) else ():
        account = sections.get("account_id")
        check(
            account is None or principal.split(":")[4] == account,
            key="onCall.principals",
            value=principal,
            allowed=f"roles of this account ({account}), which IAM Identity Center creates for a permission set",
            fix="assign the permission set to this account, and write its role's ARN",
        )
    ci = sections.get("continuous_integration")
    if isinstance(ci, ContinuousIntegration) and ci.existing_provider_arn is not None:
        account = sections.get("account_id")
        check(
            account is None or ci.existing_provider_arn.split(":")[4] == account,
            key="continuousIntegration.existingProviderArn",
            value=ci.existing_provider_arn,
            allowed=f"a provider of this account ({account})",
            fix="set the ARN of this account's provider, or remove the key to create one",
        )
