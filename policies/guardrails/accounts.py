"""The AWS accounts that belong to a stack, and those that a value contains."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from .topology.graph.documents import document_at
from .topology.graph.resources import Graph, Resource
from .topology.graph.values import Value, as_list, as_mapping
from .topology.iam.statements import grants

_ARN = re.compile(r"arn:aws[a-z-]*:(?!organizations:)[a-z0-9-]*:[a-z0-9-]*:(\d{12}):")
"""An ARN with an account. That of an organization names its management account, and sharing with an organization is possible
only from within it."""
_ACCOUNT = re.compile(r"^\d{12}$")
_ASSUMED = ("assumeRole", "assumeRoles", "assumeRoleWithWebIdentity")
_KEYS = ("kms.Key", "kms.KeyPolicy")
_REGISTRY = re.compile(r"^(\d{12})\.dkr\.ecr[.-]")

LOG_DELIVERY = frozenset(
    {
        "127311923021", "033677994240", "027434742980", "797873946194", "098369216593", "754344448648", "589379963580",
        "718504428378", "383597477331", "600734575887", "114774131450", "783225319266", "582318560864", "985666609251",
        "054676820928", "156460612806", "652711504416", "635631232127", "009996457667", "897822967062", "076674570225",
        "507241528517", "048591011584", "190560391635", "638102146993", "037604701340",
    }
)  # fmt: skip
"""AWS's accounts that write load balancers' access logs in the older regions, as its documentation lists them."""

IMAGES = frozenset({"602401143452", "763104351884", "840364872350", "906394416424"})
"""AWS's accounts that publish images of EKS add-ons, deep learning containers, App Mesh's Envoy and Fluent Bit."""


_OWN_ROLES = ("executionRoleArn", "iamRoleArn", "role", "roleArn", "serviceRole", "taskRoleArn")
"""Properties that name a role which a service has to be passed, which is possible only within its own account."""


def own_accounts(graph: Graph) -> frozenset[str]:
    """The accounts that providers are limited to; otherwise the one in most of the stack's ARNs, or before anything exists,
    the one that its provider, its keys and the roles of its services name."""
    found: frozenset[str] | None = graph.memory.get(__name__)
    if found is None:
        found = graph.memory[__name__] = _limited(graph) or _usual(graph) or _stated(graph)
    return found


def _stated(graph: Graph) -> frozenset[str]:
    """The account in which the provider assumes a role, that a key policy makes the key's owner, or that most of the roles
    passed to services belong to."""
    roles = [provider.value(path) for provider in graph.of_type("pulumi:providers:aws") for path in _ASSUMED]
    owners = [who for key in graph.of_type(*_KEYS) for who in _owners(key)]
    providers = [who for role in graph.of_type("iam.Role") for who in _providers(role)]
    passed = [resource.value(path) for resource in graph for path in _OWN_ROLES]
    for values in (roles, owners, providers, passed):
        counted = Counter(account for value in values for account in accounts_of(_parsed(value)))
        if counted:
            most = max(counted.values())
            named = [account for account, number in counted.items() if number == most]
            return frozenset(named if len(named) == 1 else ())
    return frozenset()


def _owners(key: Resource) -> Iterator[str]:
    for statement in grants(document_at(key, "policy")):
        if statement.covers("kms:PutKeyPolicy"):
            yield from (who for who in statement.principals if who.endswith(":root"))


def _providers(role: Resource) -> Iterator[str]:
    """The identity providers that a role trusts: IAM accepts only those of the role's account."""
    for statement in grants(document_at(role, "assumeRolePolicy")):
        yield from statement.federated


def _parsed(value: Value) -> Value:
    """Providers are configured with text: a list or an object in it is JSON."""
    if not isinstance(value, str) or not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _limited(graph: Graph) -> frozenset[str]:
    accounts: set[str] = set()
    for provider in graph.of_type("pulumi:providers:aws"):
        value = provider.value("allowedAccountIds")
        try:
            listed = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            continue
        accounts.update(str(item) for item in as_list(listed) or [] if _ACCOUNT.match(str(item)))
    return frozenset(accounts)


def _usual(graph: Graph) -> frozenset[str]:
    counted: Counter[str] = Counter()
    for resource in graph:
        arn = resource.value("arn")
        if isinstance(arn, str) and (match := _ARN.match(arn)):
            counted[match[1]] += 1
    return frozenset(account for account, _ in counted.most_common(1))


def accounts_of(value: Value) -> list[str]:
    """The accounts that a value contains, without duplicates."""
    return sorted(set(_accounts_in(value)))


def _accounts_in(value: Value) -> Iterator[str]:
    """The accounts in its ARNs and image registries, and account numbers given alone."""
    if isinstance(value, str):
        if match := _ACCOUNT.match(value) or _REGISTRY.match(value):
            yield match[match.lastindex or 0]
        yield from _ARN.findall(value)
    elif (items := as_list(value)) is not None:
        for item in items:
            yield from _accounts_in(item)
    elif (mapping := as_mapping(value)) is not None:
        for item in mapping.values():
            yield from _accounts_in(item)
