"""What the deploy role must not be able to do: take a key or a secret from another environment, or give its own away.

Keys and secrets are told apart by the tags ``environment`` and ``project``, keys by their own policies as well. So no
request may change or remove either tag, in any spelling of its key (IAM compares the names of condition keys without
regard to case: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html), and none
may change, use or retag what carries another environment's tags, as another environment in the same account would have it.

It cannot keep apart what carries neither tag: ``kms:TagResource`` on a key without tags looks to IAM as it does within
``CreateKey``. Give prod a separate account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from preflight.conform.iam import needs, reference
from preflight.conform.iam.graph import KEY, SECRET, Graph, tags
from preflight.conform.iam.needs import Need
from preflight.recording.recorder import RecordedResource

TAGGED = {KEY: "kms", SECRET: "secretsmanager"}
OTHER = "another"
"""The name of the environment that the requests pretend to be about or to move to."""


@dataclass(frozen=True, slots=True)
class Trespass:
    """A request that has to be refused."""

    need: Need
    others: bool
    """Whether it is about another environment's resource, whose own policy does not know the role."""


def trespasses(graph: Graph, known: Iterable[Need]) -> Iterator[Trespass]:
    """Every request that one environment must not be able to make. ``known``: what a deployment asks for its own."""
    about: dict[str, list[Need]] = {}
    for need in known:
        about.setdefault(need.arn, []).append(need)
    for resource in graph.recording.resources:
        service = TAGGED.get(resource.type)
        if service is None or resource.external:
            continue
        own = tags(resource)
        yield from _retagged(resource, service, own)
        for foreign in ({**own, "environment": OTHER}, {**own, "environment": "shared"}, {**own, "project": OTHER}):
            yield from _foreign(resource, service, own, foreign, about.get(str(resource.outputs["arn"]), []))


def _retagged(resource: RecordedResource, service: str, own: Mapping[str, str]) -> Iterator[Trespass]:
    arn = str(resource.outputs["arn"])
    for key in needs.FIXED:
        for spelled in (key, key.capitalize()):
            given = {**own, key: OTHER} if spelled == key else {spelled: OTHER}
            for request in ({spelled: OTHER}, given):
                context = {**needs.tagging(request), **needs.on(own)}
                what = f"gives the resource another {spelled}" + (" with all its tags" if len(request) > 1 else "")
                yield Trespass(_need(resource, f"{service}:TagResource", arn, context, what), others=False)
            for removed in ((spelled,), ("owner", spelled)):
                context = {"aws:tagkeys": removed, **needs.on(own)}
                what = f"removes the tag {' and the tag '.join(removed)}"
                yield Trespass(_need(resource, f"{service}:UntagResource", arn, context, what), others=False)


def _foreign(
    resource: RecordedResource, service: str, own: Mapping[str, str], foreign: Mapping[str, str], known: list[Need]
) -> Iterator[Trespass]:
    """The same requests that a deployment makes about its own, about a resource with ``foreign`` tags."""
    arn = str(resource.outputs["arn"])
    whose = f"of {foreign['project']} {foreign['environment']}"
    adopting = {**needs.tagging(own), **needs.on(foreign)}
    yield Trespass(
        _need(resource, f"{service}:TagResource", arn, adopting, f"takes over a resource {whose}"), others=True
    )
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for need in known:
        kept = {key: values for key, values in need.context if not key.startswith("aws:resourcetag/")}
        via = kept.get("kms:viaservice", ())
        if (need.action, via) in seen or _is_read(need.action) or _is_meant(need.action, via, foreign):
            continue
        seen.add((need.action, via))
        context = {**kept, **needs.on(foreign)}
        yield Trespass(_need(resource, need.action, arn, context, f"is about a resource {whose}"), others=True)


def _is_meant(name: str, via: tuple[str, ...], foreign: Mapping[str, str]) -> bool:
    """What is allowed on purpose: named secrets are encrypted with the account's key, which is tagged ``shared``. And a
    secret that exists cannot be created."""
    of_secrets = foreign["environment"] == "shared" and all(one.startswith("secretsmanager.") for one in via)
    return name == "secretsmanager:CreateSecret" or (name == "kms:Decrypt" and bool(via) and of_secrets)


def _is_read(name: str) -> bool:
    """Descriptions of keys and secrets are open to both roles; values are not."""
    action = reference.find(name)
    return action is not None and action.level in ("Read", "List") and name != "secretsmanager:GetSecretValue"


def _need(resource: RecordedResource, name: str, arn: str, context: Mapping[str, tuple[str, ...]], what: str) -> Need:
    action = reference.existing(name)
    region = arn.split(":")[3]
    base = {"aws:requestedregion": (region,), "aws:resourceaccount": (arn.split(":")[4],)}
    return Need(resource, "tag", action.name, arn, needs.kept(action, {**base, **context}), what)
