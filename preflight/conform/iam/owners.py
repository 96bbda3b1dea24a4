"""Requests that the deploy role must not be able to make: taking over another environment's key or secret, or giving
its own away.

The tags ``environment`` and ``project`` distinguish keys and secrets, and for keys their policies as well. So no request
may change or remove either tag, in any spelling of its key (IAM ignores the case of the names of condition keys:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html), and no request may
change, use or retag a resource with the tags of another environment in the same account.

Resources with neither tag are not protected: for IAM, ``kms:TagResource`` on a key without tags looks the same as within
``CreateKey``. Use a separate account for prod.
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
"""The other environment's name in the requests."""


@dataclass(frozen=True, slots=True)
class Trespass:
    """A request that has to be refused."""

    need: Need
    others: bool
    """Whether the request concerns another environment's resource, whose policy does not name the role."""


def trespasses(graph: Graph, known: Iterable[Need]) -> Iterator[Trespass]:
    """Every request that one environment must not be able to make. ``known``: the requests for its own resources."""
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
    """The requests of a deployment, made about a resource with the ``foreign`` tags."""
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
    """Requests that are allowed on purpose: named secrets are encrypted with the account's key, which is tagged ``shared``.
    Also, an existing secret cannot be created again."""
    of_secrets = foreign["environment"] == "shared" and all(one.startswith("secretsmanager.") for one in via)
    return name == "secretsmanager:CreateSecret" or (name == "kms:Decrypt" and bool(via) and of_secrets)


def _is_read(name: str) -> bool:
    """Both roles may read the descriptions of keys and secrets, but not values."""
    action = reference.find(name)
    return action is not None and action.level in ("Read", "List") and name != "secretsmanager:GetSecretValue"


def _need(resource: RecordedResource, name: str, arn: str, context: Mapping[str, tuple[str, ...]], what: str) -> Need:
    action = reference.existing(name)
    region = arn.split(":")[3]
    base = {"aws:requestedregion": (region,), "aws:resourceaccount": (arn.split(":")[4],)}
    return Need(resource, "tag", action.name, arn, needs.kept(action, {**base, **context}), what)
