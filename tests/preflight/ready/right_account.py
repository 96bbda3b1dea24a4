"""A complete account on loopback, created from a stack's recorded graph, settings and release.

What AWS itself decides (default quotas, which zones a region has) is not taken from the stack: quotas are AWS's published
defaults, raised where the stack's documentation says that they must be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from moto.backends import get_backend

from preflight.ready.parts.issuer import WELL_KNOWN
from preflight.ready.parts.linked_roles import ROLES
from preflight.ready.wanted import Wanted
from tests.preflight.account.loopback import Cloud, Names, Site
from tests.preflight.ready.aws_responses import DEFAULT_QUOTAS, FARGATE, answers
from tests.preflight.ready.world import World

PUBLIC_ADDRESS = "93.184.215.14"


def make(cloud: Cloud, names: Names, site: Site, wanted: Wanted) -> World:
    """Fill the account for the stack."""
    world = World(cloud, names, site, wanted)
    bootstrap(world)
    images(world)
    client_secret(world)
    linked_roles(world)
    hosted_zone(world)
    identity_provider(world)
    state_bucket(world)
    world.quotas = {**DEFAULT_QUOTAS, FARGATE: 64}
    cloud.answers |= answers(world)
    second_factor(world, present=True)
    return world


def second_factor(world: World, *, present: bool) -> None:
    """The root user's second factor, which no call can register."""
    summary: Any = get_backend("iam")[world.cloud.account]["aws"].account_summary
    summary._account_mfa_enabled = int(present)


def bootstrap(world: World) -> None:
    """The resources of ``bootstrap/``, created with calls to IAM and ECR."""
    iam, ecr = world.client("iam"), world.client("ecr")
    made = world.wanted.made_by_bootstrap
    for _, inputs in made("aws:iam/policy:Policy"):
        iam.create_policy(PolicyName=inputs["name"], Path=inputs["path"], PolicyDocument=inputs["policy"])
    for _, inputs in made("aws:iam/openIdConnectProvider:OpenIdConnectProvider"):
        iam.create_open_id_connect_provider(Url=inputs["url"], ClientIDList=inputs["clientIdLists"])
    for _, inputs in made("aws:iam/role:Role"):
        iam.create_role(
            RoleName=inputs["name"],
            Path=inputs["path"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            PermissionsBoundary=inputs["permissionsBoundary"],
        )
    for _, inputs in made("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    for _, inputs in made("aws:ecr/repository:Repository"):
        encryption = inputs["encryptionConfigurations"][0]
        ecr.create_repository(
            repositoryName=inputs["name"],
            imageTagMutability=inputs["imageTagMutability"],
            encryptionConfiguration={"encryptionType": encryption["encryptionType"], "kmsKey": encryption["kmsKey"]},
        )


def images(world: World) -> None:
    """The release's images as indexes with the task's platform and another one."""
    for image in world.wanted.images:
        put_image(world, image.repository, image.digest, [world.wanted.architecture, "s390x"])


def put_image(world: World, repository: str, digest: str, architectures: list[str]) -> None:
    """One index."""
    entries = [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{number:064x}",
            "size": 1,
            "platform": {"os": "linux", "architecture": architecture},
        }
        for number, architecture in enumerate(architectures)
    ]
    media_type = "application/vnd.oci.image.index.v1+json"
    world.client("ecr").put_image(
        repositoryName=repository,
        imageManifest=json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}),
        imageManifestMediaType=media_type,
        imageTag=world.wanted.release.tag,
        imageDigest=digest,
    )


def client_secret(world: World, value: str | None = "planted-client-secret") -> None:
    """The secret that bootstrap creates, with a value."""
    for _, inputs in world.wanted.made_by_bootstrap("aws:secretsmanager/secret:Secret"):
        tags = [{"Key": key, "Value": text} for key, text in sorted(inputs["tags"].items())]
        world.client("secretsmanager").create_secret(Name=inputs["name"], Tags=tags)
        if value is not None:
            world.client("secretsmanager").put_secret_value(SecretId=inputs["name"], SecretString=value)


def linked_roles(world: World) -> None:
    """The linked roles of every service that the graph uses."""
    for kind, (role, service) in ROLES.items():
        if world.wanted.count(kind):
            world.client("iam").create_role(
                RoleName=role, Path=f"/aws-service-role/{service}/", AssumeRolePolicyDocument="{}"
            )


def hosted_zone(world: World) -> None:
    """The zone under the id that the settings name, delegated in public DNS."""
    domain = world.wanted.settings.domain
    if domain.hosted_zone_id is None:
        return
    name = domain.host_name.partition(".")[2]
    route53 = world.client("route53")
    made = route53.create_hosted_zone(Name=name, CallerReference="right")
    zones = get_backend("route53")[world.cloud.account]["aws"].zones
    zone = zones.pop(made["HostedZone"]["Id"].rpartition("/")[2])
    zone.resource_id = domain.hosted_zone_id  # moto chooses ids, as AWS does
    zones[domain.hosted_zone_id] = zone
    servers = route53.get_hosted_zone(Id=domain.hosted_zone_id)["DelegationSet"]["NameServers"]
    world.names.records[name, "NS"] = [f"{server}." for server in servers]


def identity_provider(world: World) -> None:
    """A discovery document that matches the settings, and public addresses for every endpoint."""
    identity = world.wanted.settings.identity
    claims = [who.claim.name for who in (identity.allowed, identity.administrators) if who.claim]
    document: dict[str, Any] = {
        "issuer": identity.issuer,
        "authorization_endpoint": identity.authorization_endpoint,
        "token_endpoint": identity.token_endpoint,
        "userinfo_endpoint": identity.user_info_endpoint,
        "end_session_endpoint": identity.end_session_endpoint,
        "scopes_supported": list(identity.scopes),
        "response_types_supported": ["code"],
        "claims_supported": sorted(set(claims)),
    }
    called = [identity.token_endpoint, identity.user_info_endpoint]
    if identity.machine_clients is not None:
        document["jwks_uri"] = identity.machine_clients.jwks_endpoint
        called.append(identity.machine_clients.jwks_endpoint)
    publish(world, document)
    for url in called:
        world.names.records[str(urlsplit(url).hostname), "A"] = [PUBLIC_ADDRESS]


def publish(world: World, document: Mapping[str, Any]) -> None:
    """The discovery document."""
    path = urlsplit(world.wanted.settings.identity.issuer).path.removesuffix("/") + WELL_KNOWN
    world.site.pages[path] = (200, json.dumps(document).encode())


def published(world: World) -> dict[str, Any]:
    """The discovery document as it is now."""
    path = urlsplit(world.wanted.settings.identity.issuer).path.removesuffix("/") + WELL_KNOWN
    return json.loads(world.site.pages[path][1])


def state_bucket(world: World) -> None:
    """The private state bucket; none with Pulumi Cloud."""
    bucket = world.wanted.state_bucket
    if not bucket:
        return
    s3 = world.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": world.wanted.region})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(tls_only(bucket)))


def tls_only(bucket: str) -> dict[str, Any]:
    """A policy as the AWS documentation writes it."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
