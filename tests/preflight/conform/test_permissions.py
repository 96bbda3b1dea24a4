"""Bootstrap's roles allow exactly what the program's resources need, according to AWS's data."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

import pulumi
import pulumi_aws as aws
import pytest

from preflight.conform import permissions
from preflight.conform.iam import account as accounts
from preflight.conform.iam import evaluator, handlers, needs, reference, tables
from preflight.conform.iam.account import DeploymentAccount, Role
from preflight.conform.iam.graph import Graph
from preflight.conform.iam.needs import Need
from preflight.due.calls import CALLS as DUE_CALLS
from preflight.findings import Verdict
from preflight.verify.calls import CALLS as VERIFY_CALLS
from tests.preflight.conform.graphs import CASES, EXTERNAL, PROMPTS, SHAPES, STACKS, Case, bootstrap_for, program
from tests.settings.stack_files import ROOT

KEPT_WITHOUT_A_CALL = {
    "ec2:GetSecurityGroupsForVpc": "a read that AWS's own load balancer controller asks for with security groups",
    "ecr:DescribeImages": "preflight asks with the preview role whether a release's images are in the repositories",
    "ecr:DescribeRepositories": "preflight asks with the preview role whether the repositories exist",
    "ecr:ListTagsForResource": "comes with a description of a repository",
    "secretsmanager:ListSecretVersionIds": "the provider lists versions where a value is write-only",
    "secretsmanager:RestoreSecret": "undoes a deletion within the recovery window without an administrator",
}
"""Granted actions that no resource of any case calls, and why."""


@cache
def graph(case: Case) -> Graph:
    """The program's graph with bootstrap's resources."""
    return Graph.of(program(case), bootstrap_for(case))


@cache
def roles(case: Case) -> DeploymentAccount:
    """The roles of the environment."""
    return accounts.of(bootstrap_for(case), program(case).stack)


@cache
def asked(case: Case) -> tuple[Need, ...]:
    """Every request of the program, once."""
    found = {
        (n.operation == "read", n.resource.type, n.action, n.arn, n.context): n
        for n in permissions.all_needs(graph(case))
        if isinstance(n, Need)
    }
    return tuple(found.values())


@cache
def asked_anywhere() -> frozenset[str]:
    """The actions that some resource of some case calls, in lower case."""
    return frozenset(need.action.lower() for case in CASES for need in asked(case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_iam_lets_the_roles_do_what_the_program_needs_and_nothing_across_environments(case: Case) -> None:
    assert permissions.findings(program(case), bootstrap_for(case)) == []
    assert len(asked(case)) > 400


def without(role: Role, *patterns: str) -> Role:
    """The role whose policies no longer name these actions; a statement that names nothing else is gone."""
    documents = {
        name: tuple({**s, "Action": left} for s in document if (left := [a for a in s["Action"] if a not in patterns]))
        for name, document in role.documents.items()
    }
    return replace(role, documents=documents)


def granted(role: Role) -> list[str]:
    """The action patterns that the role's policies name, sorted."""
    return sorted({a for document in role.documents.values() for s in document for a in s["Action"]})


TAKEN_AWAY_IN = ("staging", PROMPTS, EXTERNAL, SHAPES[1])
"""Together they make every resource that any case makes: recorded prompts, the egress proxy, machine clients' certificate."""


@pytest.mark.parametrize("name", ["deploy", "preview"])
def test_each_granted_action_that_is_taken_away_is_found(name: str) -> None:
    needed: list[str] = []
    for pattern in granted(getattr(roles("staging"), name)):
        covered = {case: _covered(case, name, pattern) for case in TAKEN_AWAY_IN}
        if not any(covered.values()):
            continue
        needed.append(pattern)
        assert any(
            permissions.refused(without(getattr(roles(case), name), pattern), graph(case), asked_for)
            for case, asked_for in covered.items()
        ), pattern
    assert len(needed) > (200 if name == "deploy" else 50)


def _covered(case: Case, name: str, pattern: str) -> list[Need]:
    """The requests of a role that a pattern covers."""
    covered = [need for need in asked(case) if evaluator.like(pattern.lower(), need.action.lower())]
    return [need for need in covered if name == "deploy" or need.operation == "read"]


FAULT_3 = {
    "route53:AssociateVPCWithHostedZone": "aws:ec2/vpcEndpoint:VpcEndpoint",
    "elasticloadbalancing:CreateWebACLAssociation": "aws:wafv2/webAclAssociation:WebAclAssociation",
    "elasticloadbalancing:DeleteWebACLAssociation": "aws:wafv2/webAclAssociation:WebAclAssociation",
    "elasticloadbalancing:GetLoadBalancerWebACL": "aws:wafv2/webAclAssociation:WebAclAssociation",
    "secretsmanager:RotateSecret": "aws:rds/cluster:Cluster",
    "s3:TagResource": "aws:s3/bucket:Bucket",
    "s3:UntagResource": "aws:s3/bucket:Bucket",
    "s3:ListTagsForResource": "aws:s3/bucket:Bucket",
    "rds:RebootDBInstance": "aws:rds/clusterInstance:ClusterInstance",
}
"""Action that the roles lacked once → the resource that needs it."""


@pytest.mark.parametrize(("action", "type_"), FAULT_3.items())
@pytest.mark.parametrize("stack", STACKS)
def test_an_action_that_was_missing_is_found_again_on_its_resource(stack: str, action: str, type_: str) -> None:
    found = permissions.refused(without(roles(stack).deploy, action), graph(stack), asked(stack))
    assert {finding.urn.split("::")[2].split("$")[-1] for finding in found} == {type_}
    assert all(action in finding.headline for finding in found)


def test_no_action_is_granted_that_no_resource_needs() -> None:
    for name in ("deploy", "preview"):
        role: Role = getattr(roles("staging"), name)
        unused = {
            pattern
            for pattern in granted(role)
            if not any(evaluator.like(pattern.lower(), action) for action in asked_anywhere())
        }
        # With the preview role the deploy workflow verifies what runs, and the nightly check lists what is overdue: each of
        # these reads is one that they declare.
        declared = {action for calls in (VERIFY_CALLS, DUE_CALLS) for needed in calls.values() for action in needed}
        assert unused - declared == {p for p in KEPT_WITHOUT_A_CALL if p in granted(role)} - declared
    assert set(KEPT_WITHOUT_A_CALL) <= set(granted(roles("staging").deploy))


def test_only_reads_are_granted_by_wildcards_that_cover_more_than_is_called() -> None:
    wider = {
        pattern: [a for a in reference.matching(pattern) if a.lower() not in asked_anywhere()]
        for pattern in granted(roles("staging").deploy)
        if "*" in pattern
    }
    written = {
        p: a for p, a in wider.items() if a and any(reference.existing(one).level not in ("Read", "List") for one in a)
    }
    assert written == {}


def test_every_type_that_the_program_can_make_is_classified() -> None:
    sources = [path for part in ("assembly", "components") for path in (ROOT / part).glob("**/*.py")]
    named = {pair for path in sources for pair in re.findall(r"\baws\.(\w+)\.([A-Z]\w+)\(", path.read_text("utf-8"))}
    classes = [getattr(getattr(aws, module), name) for module, name in sorted(named)]
    types = [str(vars(c)["pulumi_type"]) for c in classes if issubclass(c, pulumi.CustomResource)]
    assert [t for t in types if not needs.known(t)] == []
    assert len(types) > 60


def test_a_type_that_no_table_explains_is_named() -> None:
    recording = program("staging")
    vpc = recording.of_type("aws:ec2/vpc:Vpc")[0]
    strange = replace(
        recording, resources=[*recording.resources, replace(vpc, type="aws:new/thing:Thing", urn="urn:thing")]
    )
    (found,) = permissions.findings(strange, bootstrap_for("staging"))
    assert (found.urn, found.verdict) == ("urn:thing", Verdict.NOT_PROVEN)
    assert "no table lists the actions that this type needs" in found.headline


def test_an_action_that_iam_does_not_know_is_named_unless_the_table_gives_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "unneeded", tuple)
    monkeypatch.setattr(tables, "excluding", tables.excluding.__wrapped__)
    found = permissions.findings(program("staging"), bootstrap_for("staging"))
    unknown = [f for f in found if f.verdict is Verdict.NOT_PROVEN]
    assert any("no table covers backup-storage:Mount" in f.headline for f in unknown)
    assert any("may not call amplify:AssociateWebACL" in f.headline for f in found if f not in unknown)


def test_an_environment_without_a_bootstrap_stack_is_reported_as_not_checked() -> None:
    (found,) = permissions.findings(program("staging"), None)
    assert found.verdict is Verdict.NOT_PROVEN
    assert found.headline == "bootstrap has no roles for staging: whether CI may deploy it is unknown"
    with pytest.raises(LookupError, match="creates no roles for other"):
        accounts.of(bootstrap_for("staging"), "other")


def test_the_zone_of_another_environment_is_not_granted() -> None:
    recording = program("staging")
    found = permissions.findings(recording, bootstrap_for(SHAPES[0]))
    assert {f.headline.split(": ")[1] for f in found if "Record" in f.headline} == {
        "ai-interface-staging-deploy may not call route53:ChangeResourceRecordSets for its create, delete, update"
    }


def test_cloudformations_types_have_handlers_and_the_others_have_rows() -> None:
    assert all(handlers.permissions(t, "eu-west-1")["create"] for types in handlers.TYPES.values() for t in types)
    assert {call.type for call in tables.calls()} >= handlers.PROVIDER_ONLY
    assert not handlers.PROVIDER_ONLY & set(handlers.TYPES)


def test_every_reason_for_leaving_a_permission_out_is_used() -> None:
    used: set[int] = set()
    for case in CASES:
        for resource in program(case).resources:
            listed = {
                a
                for t in handlers.TYPES.get(resource.type, ())
                for p in handlers.permissions(t, "eu-west-1").values()
                for a in p
            }
            called = {a for call in tables.calls() if call.type == resource.type for a in call.actions}
            for action in needs.closed(listed | called):
                used |= {n for n, row in enumerate(tables.unneeded()) if row.covers(resource.type, action)}
    assert [row.reason for n, row in enumerate(tables.unneeded()) if n not in used] == []


def test_documents_are_what_the_bootstrap_program_registers() -> None:
    documents = roles("staging").deploy.documents
    made = {
        p.inputs["name"]: json.loads(p.inputs["policy"])
        for p in bootstrap_for("staging").of_type("aws:iam/policy:Policy")
    }
    assert {name: list(document) for name, document in documents.items()} == {
        name: made[name]["Statement"] for name in documents
    }
    assert len(documents) == 5
