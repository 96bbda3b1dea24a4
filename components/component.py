"""The base of every component: it refuses an account or a region that is not the AWS provider's own.

Both are part of the conditions in policies: with another account no service could use a key or write a log, and the mistake would
show only when a task does not start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws
from pulumi.runtime.settings import get_monitor

from components.args import Args

Answers = tuple[aws.GetCallerIdentityResult, aws.GetRegionResult]
_KNOWN: WeakKeyDictionary[Any, list[tuple[pulumi.ProviderResource | None, Answers]]] = WeakKeyDictionary()
"""Engine → provider and its answers."""
ANY_AWS_TYPE = "aws:index/region:Region"
OFFLINE = ":offline"
"""Ends the user id with which ``preflight`` answers: no AWS was asked, so an account or a region that the stack does not configure
is unknown."""


@dataclass(frozen=True)
class OfAnother:
    """An argument that names another account or region than the provider's."""

    field: str
    what: str
    value: str
    actual: str


class Component(pulumi.ComponentResource):
    """A component with validated arguments."""

    def __init__(self, type_: str, name: str, args: Args, opts: pulumi.ResourceOptions | None) -> None:
        # A component of ours has passed its own, checked arguments on.
        if not isinstance(opts.parent if opts else None, Component):
            found = list(of_another_account(args, opts))
            if found:
                raise ValueError(
                    "; ".join(
                        f"{one.field} is {one.value!r}, and the AWS provider's {one.what} is {one.actual!r}: pass the provider's "
                        f"{one.what}, or a provider for this {one.what}"
                        for one in found
                    )
                )
        super().__init__(type_, name, {}, opts)


def of_another_account(args: Args, opts: pulumi.ResourceOptions | None) -> Iterator[OfAnother]:
    """``account_id`` and ``region`` of the arguments, if they are not those of the AWS provider that creates the resources."""
    account, region = getattr(args, "account_id", None), getattr(args, "region", None)
    if not (isinstance(account, str) or isinstance(region, str)):
        return
    provider, configured = _aws_provider(opts), pulumi.Config("aws")
    identity, provider_region = _answers(provider)
    offline = str(identity.user_id).endswith(OFFLINE)
    actual = None if offline and configured.get("allowedAccountIds") is None else identity.account_id
    # Mocks of a program's own tests answer nothing.
    if isinstance(account, str) and actual and account != actual:
        yield OfAnother("account_id", "account", account, actual)
    if isinstance(region, str) and region and not (offline and configured.get("region") is None):
        actual = provider_region.region
        if actual and region != actual:
            yield OfAnother("region", "region", region, actual)


def _answers(provider: pulumi.ProviderResource | None) -> Answers:
    """Account and region of a provider, asked once in a program: an answer is waited for, and a program has many components."""
    known = _KNOWN.setdefault(get_monitor(), [])
    for one, answers in known:
        if one is provider:
            return answers
    options = pulumi.InvokeOptions(provider=provider)
    known.append((provider, (aws.get_caller_identity(opts=options), aws.get_region(opts=options))))
    return known[-1][1]


def _aws_provider(opts: pulumi.ResourceOptions | None) -> pulumi.ProviderResource | None:
    """The explicit provider of the component's resources; ``None``: the default one."""
    if opts is None:
        return None
    given = opts.providers
    listed = list(given.values()) if isinstance(given, dict) else list(given or ())
    for one in (*listed, opts.provider):
        if isinstance(one, pulumi.ProviderResource) and one.package == "aws":
            return one
    return opts.parent.get_provider(ANY_AWS_TYPE) if opts.parent is not None else None
