"""Faults in the account: identity, bootstrap, images, secret, quotas, linked roles, backups, names, state."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from preflight.account.lines import Status
from preflight.ready.parts.needs import processors
from settings.upstreams import PrivateUpstream
from tests.preflight.ready.aws_responses import FARGATE, FARGATE_DEFAULT
from tests.preflight.ready.faults import (
    Fault,
    Undo,
    check,
    denied,
    lines,
    parameters,
    refuses,
    refuses_for,
    says,
    wants,
    without,
)
from tests.preflight.ready.world import World

DEPLOY = "ai-interface-staging-deploy"
UP = "run pulumi up in bootstrap/"


def _no_boundary(world: World) -> Undo:
    iam = world.client("iam")
    held = iam.get_role(RoleName=DEPLOY)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    iam.delete_role_permissions_boundary(RoleName=DEPLOY)
    return lambda: iam.put_role_permissions_boundary(RoleName=DEPLOY, PermissionsBoundary=held)


def _one_policy_more(world: World) -> Undo:
    iam = world.client("iam")
    made = world.wanted.made_by_bootstrap("aws:iam/policy:Policy")
    arn = next(r.outputs["arn"] for r, i in made if i["name"] == "ai-interface-staging-preview-read")
    iam.attach_role_policy(RoleName=DEPLOY, PolicyArn=arn)
    return lambda: iam.detach_role_policy(RoleName=DEPLOY, PolicyArn=arn)


def _other_trust(world: World) -> Undo:
    iam = world.client("iam")
    held = iam.get_role(RoleName=DEPLOY)["Role"]["AssumeRolePolicyDocument"]
    other = json.dumps(held).replace("repo:example/ai-interface:", "repo:example/fork:")
    iam.update_assume_role_policy(RoleName=DEPLOY, PolicyDocument=other)
    return lambda: iam.update_assume_role_policy(RoleName=DEPLOY, PolicyDocument=json.dumps(held))


def _older_policy(world: World) -> Undo:
    """The deploy role's policy lacks an action that this checkout gives it."""
    iam = world.client("iam")
    made = world.wanted.made_by_bootstrap("aws:iam/policy:Policy")
    arn = next(r.outputs["arn"] for r, i in made if i["name"] == f"{DEPLOY}-network")
    first = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=first)["PolicyVersion"]["Document"]
    document["Statement"][0]["Action"].pop()
    older = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)

    def undo() -> None:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=first)
        iam.delete_policy_version(PolicyArn=arn, VersionId=older["PolicyVersion"]["VersionId"])

    return undo


def _movable_tags(world: World) -> Undo:
    ecr = world.client("ecr")
    ecr.put_image_tag_mutability(repositoryName="ai-interface/proxy", imageTagMutability="MUTABLE")
    return lambda: ecr.put_image_tag_mutability(repositoryName="ai-interface/proxy", imageTagMutability="IMMUTABLE")


def _secret(**answer: object) -> Any:  # noqa: ANN401
    tags = answer.pop("Tags", [{"Key": "environment", "Value": "staging"}])
    return says("secretsmanager", "DescribeSecret", {"Name": "x", "Tags": tags, **answer})


def _model_key(plant: Callable[[World], None]) -> Callable[[World], None]:
    """A private server with an API key, in a group of staging, and a fault."""

    def both(world: World) -> None:
        plant(world)
        settings = world.wanted.settings
        server = PrivateUpstream.model_validate(
            {
                "kind": "private",
                "hostName": "llm.example.com",
                "securityGroupId": "sg-0123456789abcdef0",
                "apiKeySecret": MODEL_KEY,
            }
        )
        (group,) = settings.models.groups
        groups = (group.model_copy(update={"upstreams": (*group.upstreams, server)}),)
        models = settings.models.model_copy(update={"groups": groups})
        world.wanted = replace(world.wanted, settings=settings.model_copy(update={"models": models}))

    return both


MODEL_KEY = "ai-interface/staging/model-key-llm"
CURRENT = {"VersionIdsToStages": {"1": ["AWSCURRENT"]}}
SECRET = "ai-interface/staging/oidc-client-secret"
FIRST = [
    Fault(
        "zone that is down",
        "account",
        says(
            "ec2",
            "DescribeAvailabilityZones",
            {
                "AvailabilityZones": [
                    {"ZoneName": "eu-west-1a", "State": "available", "ZoneType": "availability-zone"},
                    {"ZoneName": "eu-west-1b", "State": "unavailable", "ZoneType": "availability-zone"},
                ]
            },
        ),
        "availability zones",
        "network.availabilityZones",
        found="eu-west-1b",
    ),
    Fault(
        "region that is not opted in",
        "account",
        says("ec2", "DescribeRegions", {"Regions": [{"RegionName": "eu-west-1", "OptInStatus": "not-opted-in"}]}),
        "region",
        "enable-region",
    ),
    Fault("policy of an older checkout", "bootstrap", _older_policy, f"policy {DEPLOY}-network", UP, found="differs"),
    Fault(
        "policy that was never made",
        "bootstrap",
        refuses_for("iam", "GetPolicy", f"{DEPLOY}-state", "NoSuchEntity"),
        f"policy {DEPLOY}-state",
        UP,
    ),
    Fault("role without boundary", "bootstrap", _no_boundary, f"role {DEPLOY}", UP, found="boundary"),
    Fault("role with one policy more", "bootstrap", _one_policy_more, f"role {DEPLOY}", UP, found="policies"),
    Fault("role that a fork may assume", "bootstrap", _other_trust, f"role {DEPLOY}", UP, found="trust"),
    Fault(
        "role that was never made",
        "bootstrap",
        refuses_for("iam", "GetRole", f"{DEPLOY}", "NoSuchEntity"),
        f"role {DEPLOY}",
        UP,
    ),
    Fault(
        "repository with movable tags", "bootstrap", _movable_tags, "repository ai-interface/proxy", UP, found="MUTABLE"
    ),
    Fault(
        "no OIDC provider",
        "bootstrap",
        refuses("iam", "GetOpenIDConnectProvider", "NoSuchEntity", 404),
        "OIDC provider",
        UP,
    ),
    Fault("no bootstrap stack", "bootstrap", wants(bootstrap=None), "bootstrap", "bootstrap/README.md"),
    Fault(
        "image that was not copied",
        "images",
        refuses_for("ecr", "DescribeImages", "ai-interface/proxy", "ImageNotFoundException"),
        "ai-interface/proxy",
        "bootstrap.copy_images --stack staging",
    ),
    Fault(
        "no repositories",
        "images",
        refuses("ecr", "DescribeImages", "RepositoryNotFoundException"),
        "ai-interface/",
        "bootstrap.copy_images",
    ),
    Fault("secret without value", "client secret", _secret(), SECRET, "put-secret-value", found="no value"),
    Fault(
        "secret that is being deleted", "client secret", _secret(DeletedDate=1.0, **CURRENT), SECRET, "restore-secret"
    ),
    Fault(
        "secret of another environment",
        "client secret",
        _secret(Tags=[{"Key": "environment", "Value": "prod"}], **CURRENT),
        f"{SECRET} environment",
        "bootstrap",
    ),
    Fault(
        "no secret of a model server",
        "client secret",
        _model_key(refuses_for("secretsmanager", "DescribeSecret", MODEL_KEY, "ResourceNotFoundException")),
        MODEL_KEY,
        "modelKeys of staging in bootstrap/",
    ),
    Fault(
        "no secret",
        "client secret",
        refuses("secretsmanager", "DescribeSecret", "ResourceNotFoundException"),
        SECRET,
        "bootstrap",
    ),
    Fault(
        "secret that may not be described",
        "client secret",
        denied("secretsmanager", "DescribeSecret"),
        "client secret",
        "secretsmanager:DescribeSecret",
        Status.CANNOT_TELL,
    ),
]


@parameters(FIRST)
def test_a_fault_before_the_first_up_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def _image(**change: object) -> Any:  # noqa: ANN401
    def plant(world: World) -> None:
        def answer(asked: Any) -> Any:  # noqa: ANN401
            digest = asked.parameters["imageIds"][0]["imageDigest"]
            details = {"imageDigest": digest, "imageTags": [world.wanted.release.tag], **change}
            return {"imageDetails": [details]}

        world.cloud.answers["ecr", "DescribeImages"] = answer

    return plant


def _other_platform(world: World) -> None:
    manifest = {"manifests": [{"platform": {"os": "linux", "architecture": "arm64"}}]}
    world.cloud.answers["ecr", "BatchGetImage"] = {"images": [{"imageManifest": json.dumps(manifest)}]}


ONE = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGES = [
    Fault("image without the release's tag", "images", _image(imageTags=["candidate-1"], imageManifestMediaType=INDEX),
          "ai-interface/", "release-2026.11.1"),
    Fault("image for another processor", "images", _other_platform, "ai-interface/", "linux/amd64", found="linux/arm64"),
    Fault("image for one platform", "images", _image(imageManifestMediaType=ONE), "ai-interface/", "crane config",
          Status.CANNOT_TELL),
]  # fmt: skip


@parameters(IMAGES)
def test_a_fault_of_an_image_is_found(staging: World, fault: Fault) -> None:
    check(staging, fault)


def _many_vpcs(world: World) -> Undo:
    ec2 = world.client("ec2")
    made = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(4)]
    return lambda: [ec2.delete_vpc(VpcId=vpc) for vpc in made]


def _log_policies(number: int) -> Any:  # noqa: ANN401
    return says(
        "logs", "DescribeResourcePolicies", {"resourcePolicies": [{"policyName": f"p{n}"} for n in range(number)]}
    )


def _default_fargate(world: World) -> None:
    assert processors(world.wanted) > FARGATE_DEFAULT
    world.quotas[FARGATE] = FARGATE_DEFAULT


def _quota_gone(world: World) -> None:
    del world.quotas["L-7EED9B64"]


def _no_linked_role(world: World) -> None:
    """No linked role exists, and the deploy role of an older bootstrap may not have them made."""
    assert world.wanted.bootstrap is not None
    kept = without(world.wanted.bootstrap.resources, "pipeline-deploy-identity")
    world.wanted = replace(world.wanted, bootstrap=replace(world.wanted.bootstrap, resources=kept))
    refuses("iam", "GetRole", "NoSuchEntity", 404)(world)


QUOTAS = [
    Fault("region full of VPCs", "quotas", _many_vpcs, "VPCs per Region", "--quota-code L-F678F1CE --desired-value 6"),
    Fault("Fargate quota of a new account", "quotas", _default_fargate, "Fargate", "--quota-code L-3032A538"),
    Fault(
        "nine log resource policies of others",
        "quotas",
        _log_policies(9),
        "log resource policies",
        "delete-resource-policy",
    ),
    Fault(
        "roles used up",
        "quotas",
        says("iam", "GetAccountSummary", {"SummaryMap": {"Roles": 998, "RolesQuota": 1000}}),
        "IAM roles",
        "Service Quotas",
    ),
    Fault(
        "current use that may not be counted",
        "quotas",
        denied("kms", "ListKeys"),
        "Customer managed keys",
        "kms:ListKeys",
        Status.CANNOT_TELL,
        found="the stack needs 2",
    ),
    Fault(
        "quota that the region does not know",
        "quotas",
        _quota_gone,
        "Rules per Application",
        "console",
        Status.CANNOT_TELL,
    ),
    Fault(
        "no linked roles and no permission for them",
        "service-linked roles",
        _no_linked_role,
        "AWSServiceRoleFor",
        "create-service-linked-role",
    ),
    Fault(
        "Aurora left out of AWS Backup",
        "backups",
        says("backup", "DescribeRegionSettings", {"ResourceTypeOptInPreference": {"Aurora": False, "RDS": True}}),
        "opt-in for Aurora",
        "--resource-type-opt-in-preference Aurora=true",
        found="no copy of the database",
    ),
    Fault(
        "AWS Backup without a setting for Aurora",
        "backups",
        says("backup", "DescribeRegionSettings", {"ResourceTypeOptInPreference": {}}),
        "opt-in for Aurora",
        "update-region-settings",
        found="not known",
    ),
    Fault(
        "settings of AWS Backup that may not be read",
        "backups",
        denied("backup", "DescribeRegionSettings"),
        "opt-in for Aurora",
        "backup:DescribeRegionSettings",
        Status.CANNOT_TELL,
    ),
]


@parameters(QUOTAS)
def test_a_quota_linked_role_or_setting_that_does_not_suffice_is_found(staging: World, fault: Fault) -> None:
    staging.cloud.answers["service-quotas", "GetAWSDefaultServiceQuota"] = staging.cloud.answers[
        "service-quotas", "GetServiceQuota"
    ]
    check(staging, fault)


def test_a_linked_role_that_the_deploy_role_may_have_made_is_not_missing(staging: World) -> None:
    refuses("iam", "GetRole", "NoSuchEntity", 404)(staging)
    found = lines(staging, "service-linked roles")
    assert found
    assert {line.status for line in found} == {Status.OK}
    assert all("does not exist" in line.found for line in found)


def test_in_another_account_nothing_more_is_asked(staging: World) -> None:
    says(
        "sts",
        "GetCallerIdentity",
        {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/x", "UserId": "x"},
    )(staging)
    staging.cloud.asked.clear()
    answer = staging.ready()
    assert [(line.subject, line.status) for line in answer.lines] == [
        ("account", Status.MISSING),
        ("everything else", Status.CANNOT_TELL),
    ]
    assert "999999999999" in answer.lines[0].found
    assert answer.exit_code == 1
    assert {call.service for call in staging.cloud.asked} <= {"sts", "ec2"}
