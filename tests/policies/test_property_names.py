"""Every resource type and every property that a guardrail names exists in the installed SDK.

A misspelled property is never there, so a policy that reads it is silent about exactly what it should report.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import pytest

from policies.guardrails.iam import RESOURCE_POLICIES
from policies.guardrails.rule import Rule
from policies.guardrails.rules import RULES
from policies.guardrails.topology.reachability.claims import not_modelled
from policies.guardrails.topology.reachability.facts import placed
from tests.policies.property_literals import Join, Literal, joins, kind_literals, kinds_of, literals, modules
from tests.policies.sdk_schema import has, tokens

LISTENERS = ("lb.Listener", "lb.ListenerRule")
WEB_ACL = ("wafv2.WebAcl",)
READ_FOR = {
    "accounts": ("backup.Selection", "codebuild.Project", "ecs.TaskDefinition", "iam.Role", "sfn.StateMachine"),
    "lifecycles": ("s3.Bucket",),
    "metrics": ("cloudwatch.MetricAlarm",),
    "roles": ("iam.Role",),
    "rules.stack.ownership_tags": ("s3.Bucket",),
    "topology.entry.api_bodies": ("apigateway.RestApi",),
    "topology.http.load_balancer_limits": ("lb.LoadBalancer",),
    "topology.reachability.claims.connections": ("ecs.Service", "lb.LoadBalancer", *LISTENERS),
    "topology.reachability.claims.internal_resources": ("ec2.RouteTableAssociation", "vpc.SecurityGroupIngressRule"),
    "topology.reachability.facts.build": ("ec2.Subnet", "lb.Listener"),
    "topology.reachability.facts.flows": ("ecs.Service", "ec2.SecurityGroup"),
    "topology.reachability.facts.peers": ("ec2.Subnet",),
    "topology.trace.listener_rules": LISTENERS,
    "topology.trace.request_path": LISTENERS,
    "topology.waf.match_fields": WEB_ACL,
    "web_acl_limits": WEB_ACL,
    "web_acl_logs": ("cloudwatch.LogDataProtectionPolicy", "wafv2.WebAclLoggingConfiguration", *WEB_ACL),
}
"""Modules whose functions are given resources of types that the module does not name."""

ENVOY = (
    "access_filters",
    "proxies",
    "rules.proxy.authorizes",
    "rules.proxy.limits_requests",
    "rules.proxy.verifies_upstreams",
)
"""Modules that read Envoy's configuration, which the tests of the proxy hold against the real Envoy."""
CONTAINERS = (
    "checks",
    "log_formats",
    "proxies",
    "rules.ecs.",
    "rules.iam.grants_stay_in_the_account",
    "rules.logs.groups_are_masked",
)
"""Modules that read container definitions, a JSON document that the SDK does not describe but the ECS API does."""
NOT_AWS = {
    "accounts": {"allowedAccountIds", "assumeRole", "assumeRoleWithWebIdentity", "assumeRoles"},
    "adoption": {"deployment", "outputs", "propertyDependencies"},
    "rules.backup.restore_tests_are_private": {"dbSubnetGroupName", "encryptionType", "kmsKey", "publiclyaccessible", "subnetId"},
    "configuration": {"description", "enforcementLevel", "format", "maximum", "minimum", "profile", "type"},
    "evaluation": {"latent", "notProven"},
    "declarations": {"expires"},
    "lifecycles": {"lifecycle"},
    "rule": {"notProven"},
    "server": {"file"},
    "rules.cloudwatch.services_have_dashboards": {"widgets"},
    "rules.ecs.clusters_are_observed": {"containerInsights"},
    "rules.elb.response_headers_set": {"routingHttpResponse"},
    "rules.elb.logins_admit_known_users": {"providerDetails.oidc_issuer"},
    "rules.iam.documents_elsewhere_are_narrow": {"FromPort", "ToPort", "fromPort", "toPort"},
    "rules.proxy.authorizes": {"openPaths"},
    "rules.rds.databases_require_tls": {"rds.force_ssl"},
    "rules.stack.requests_reach_aws": {"endpoints", "insecure"},
    "rules.stack.sensitive_values_are_secret": {"providerDetails.client_secret"},
    "topology.entry.api_bodies": {"components", "paths", "security", "securityDefinitions", "securitySchemes", "type"},
    "topology.entry.public_services": {"networkConfiguration.assignPublicIp"},
    "topology.graph.resources": {
        "dependencies", "external", "id", "inputs", "name", "outputs", "parent", "propertyDependencies",
        "property_dependencies", "protect", "source", "source_file", "source_line",
    },
    "topology.graph.values": {"id", "secret", "urn", "value"},
    "topology.http.requests": {"email"},
    "topology.reachability.claims.not_modelled": {
        "hostPort", "metadata.annotations", "resourcePolicy", "spec.externalIPs", "spec.hostNetwork", "spec.template.spec.hostNetwork",
        "spec.type",
    },
    "topology.trace.listener_rules": {"iss"},
}  # fmt: skip
"""Keys of other documents, by module: Pulumi's wire form, exceptions and settings, OpenAPI, tokens, parameters. ``lifecycle`` is
where a finding on a bucket without any lifecycle points. Of Kubernetes and of types that are newer than the SDK, the names are
those of other schemas."""


@cache
def container_words() -> frozenset[str]:
    """Every name in a container definition of the ECS API."""
    session: Any = import_module("botocore.session")
    model = session.get_session().get_service_model("ecs")
    found = {"containerDefinitions"}
    queue: list[Any] = [model.shape_for("ContainerDefinition")]
    while queue:
        shape = queue.pop()
        if shape.type_name == "structure":
            found |= set(shape.members)
            queue += shape.members.values()
        elif shape.type_name == "list":
            queue.append(shape.member)
        elif shape.type_name == "map":
            queue.append(shape.value)
    return frozenset(found)


def settings_of(module: str) -> frozenset[str]:
    """The configuration keys of the policy in a module."""
    name = module.removeprefix("rules.").replace(".", "-").replace("_", "-")
    return frozenset(key for rule in RULES if rule.name == name for key in (*rule.schema, *_below(rule)))


def _below(rule: Rule) -> list[str]:
    return [key for schema in rule.schema.values() for key in schema.get("properties", {})]


def is_known(item: Literal) -> bool:
    """Whether a name is one of the SDK, or of another document that the module reads."""
    if item.declared_by(kinds_of(item.module) | set(READ_FOR.get(item.module, ()))):
        return True
    steps = item.path.split(".")
    if any(item.module.startswith(module) for module in CONTAINERS) and container_words() >= set(steps):
        return True
    if item.module in ENVOY and item.path == item.path.lower():
        return True
    return item.path in NOT_AWS.get(item.module, ()) or item.path in settings_of(item.module)


def uses() -> list[str]:
    return [module for module in modules() if literals(module)]


@pytest.mark.parametrize("module", modules())
def test_every_resource_type_in_the_source_exists(module: str) -> None:
    assert [found for found in kind_literals(module) if found[1] not in tokens()] == []


@pytest.mark.parametrize("module", uses())
def test_every_property_in_the_source_exists(module: str) -> None:
    assert [item for item in literals(module) if not is_known(item)] == []


@pytest.mark.parametrize("module", [module for module in uses() if module not in ENVOY])
def test_a_misspelled_property_is_noticed(module: str) -> None:
    """Each name of the source with a letter too many: none of them passes for another property."""
    passed = [
        item for item in literals(module) if is_known(Literal(item.module, item.line, f"{item.path}x", item.rooted))
    ]
    assert passed == []


JOINS = [join for module in modules() for join in joins(module)]


@pytest.mark.parametrize("join", JOINS, ids=lambda join: f"{join.module}:{join.line}")
def test_every_key_of_a_look_up_exists(join: Join) -> None:
    unknown = [key for key in join.keys if not any(has(kind, key) for kind in join.kinds)]
    assert unknown == []
    assert not any(has(kind, f"{key}x") for kind in join.kinds for key in join.keys)


def test_most_look_ups_are_covered() -> None:
    assert len({join.module for join in JOINS if join.module.startswith("topology.")}) > len(("network", "entry"))


@pytest.mark.parametrize("kind", sorted(RESOURCE_POLICIES))
def test_a_resource_policy_is_where_the_table_says(kind: str) -> None:
    assert has(kind, RESOURCE_POLICIES[kind])


def test_attachments_name_their_holder_by_a_property_that_exists() -> None:
    assert [(kind, path) for kind, path, _ in placed.ATTACHMENTS if not has(kind, path)] == []


@pytest.mark.parametrize("name", not_modelled.SUSPECT_PROPERTIES)
def test_a_suspect_property_is_one_that_a_network_type_has(name: str) -> None:
    """The list is for types that are not in the table, so its words are those of the types that are known."""
    known = not_modelled.PLACED | {
        "iam.RolePolicy",
        "s3.Bucket",
        "sns.TopicPolicy",
        "lambda.Permission",
        "s3tables.TablePolicy",
    }
    assert any(has(kind, name) for kind in known)
    assert not any(has(kind, f"{name}x") for kind in known)


def test_every_exemption_is_needed() -> None:
    """A word that no module reads any more, or that became a property, leaves the tables above."""
    for module, words in NOT_AWS.items():
        kinds = kinds_of(module) | set(READ_FOR.get(module, ()))
        assert words <= {item.path for item in literals(module) if not item.declared_by(kinds)}, module
    for module, kinds in READ_FOR.items():
        named = frozenset(kinds_of(module))
        assert any(item.declared_by(named | set(kinds)) and not item.declared_by(named) for item in literals(module)), (
            module
        )
