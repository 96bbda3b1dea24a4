"""An account on loopback that has all that a stack needs, made from the stack's recorded graph, settings and release.

What AWS itself decides (default quotas, which zones a region has) is not taken from the stack: quotas are AWS's published
defaults, raised where the stack's documentation says that they must be.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from moto.backends import get_backend

from preflight.account.lines import Answer
from preflight.account.session import Account
from preflight.ready.asking import Asking
from preflight.ready.calls import CALLS
from preflight.ready.command import answer
from preflight.ready.outside import Dns, Https
from preflight.ready.parts.issuer import WELL_KNOWN
from preflight.ready.parts.linked_roles import ROLES
from preflight.ready.parts.quotas import QUOTAS
from preflight.ready.wanted import Wanted
from tests.preflight.account.loopback import CHAT, LOOPBACK, Asked, Cloud, Names, Refusal, Result, Site

PUBLIC_ADDRESS = "93.184.215.14"
DEFAULT_QUOTAS: Mapping[str, float] = {
    "L-0EA8095F": 60,
    "L-1B52E74A": 20,
    "L-244521F2": 300,
    "L-29B6F2EB": 50,
    "L-2AEEBF1A": 20,
    "L-2AFB9258": 5,
    "L-2EC3DE7B": 100,
    "L-2F66C23C": 500_000,
    "L-3248932A": 20_480,
    "L-407747CB": 200,
    "L-53DA6B97": 50,
    "L-589F43AA": 200,
    "L-7B6409FD": 40,
    "L-7EED9B64": 100,
    "L-9365A611": 25,
    "L-952B80B8": 40,
    "L-A4707A72": 5,
    "L-B22855CB": 3000,
    "L-B4A6D682": 200,
    "L-B6DF7632": 50,
    "L-C2F1777E": 100_000,
    "L-DC2B2D3D": 10_000,
    "L-DF5E4CA3": 5000,
    "L-DFE45DF3": 300,
    "L-E79EC296": 2500,
    "L-F141DD1D": 2500,
    "L-F678F1CE": 5,
}
"""Service Quotas' default values."""
FARGATE, FARGATE_DEFAULT = "L-3032A538", 6
"""A new account has 6 vCPU, which no stack of this project fits in."""


@dataclass
class World:
    """The account, public DNS and the identity provider of one stack."""

    cloud: Cloud
    names: Names
    site: Site
    wanted: Wanted
    quotas: dict[str, float] = field(default_factory=dict[str, float])
    call_models: bool = True
    session: Any = field(
        default_factory=lambda: boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
    )
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])

    def client(self, service: str, region: str = "") -> Any:  # noqa: ANN401
        """A boto3 client that may change the account, unlike ``ready``'s."""
        key = (service, region or self.wanted.region)
        if key not in self._clients:
            self._clients[key] = self.session.client(service, region_name=key[1], endpoint_url=self.cloud.url)
        return self._clients[key]

    def asking(self) -> Asking:
        """What the command would be given."""
        account = Account(self.wanted.region, CALLS, endpoint_url=self.cloud.url, session=self.session)
        dns = Dns((LOOPBACK,), self.names.port)
        return Asking(self.wanted, account, dns, Https(self.site.context, self.site.route), self.call_models)

    def ready(self) -> Answer:
        """The command's answer."""
        return answer(self.asking())

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What is changed inside, beside moto's own state, is as before afterwards."""
        before = (dict(self.cloud.answers), copy.deepcopy(self.names.records), dict(self.site.pages))
        wanted, quotas, calls = self.wanted, dict(self.quotas), self.call_models
        try:
            yield
        finally:
            self.cloud.answers, self.names.records, self.site.pages = before
            self.wanted, self.quotas, self.call_models = wanted, quotas, calls
            self.names.broken = False


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
    cloud.answers |= {
        ("service-quotas", "GetServiceQuota"): lambda asked: quota(world, asked),
        ("service-quotas", "ListServiceQuotas"): lambda asked: model_quotas(world, asked),
        ("ec2", "DescribeVpcEndpointServices"): lambda asked: endpoint_service(world, asked),
        ("rds", "DescribeOrderableDBInstanceOptions"): lambda asked: orderable(world, asked),
        ("elasticache", "DescribeCacheEngineVersions"): lambda asked: cache_versions(world, asked),
        ("elasticache", "DescribeReservedCacheNodesOfferings"): lambda asked: cache_offerings(world, asked),
        ("bedrock", "GetFoundationModel"): lambda asked: model(world, asked),
        ("bedrock", "GetFoundationModelAvailability"): lambda asked: available(asked),
        ("bedrock", "ListGuardrails"): {"guardrails": []},
        ("bedrock-runtime", CHAT): lambda asked: chat(world, asked),
    }
    return world


def bootstrap(world: World) -> None:
    """What ``bootstrap/`` makes, through IAM's and ECR's own calls."""
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
    """The release's images as indexes that have the task's platform and another one."""
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
    """The secret that bootstrap names, with a value that somebody has put in."""
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
    """A discovery document that publishes what the settings say, and public addresses of every endpoint."""
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
    """The bucket of the state, closed; none with Pulumi Cloud."""
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


def quota(world: World, asked: Asked) -> Result:
    """A quota that the account has."""
    code = asked.parameters["QuotaCode"]
    known = {quota.code: quota for quota in QUOTAS}
    if code not in world.quotas:
        return Refusal("NoSuchResourceException")
    return {"Quota": {"QuotaCode": code, "ServiceCode": known[code].service, "Value": world.quotas[code]}}


def model_quotas(world: World, asked: Asked) -> Result:
    """Bedrock's quotas of the declared models, and one of another model whose name ends alike."""
    names = [display(model) for region, model in world.wanted.bedrock_models if region == asked.region]
    enough = float(world.wanted.settings.models.tokens_per_hour)
    listed = [f"On-demand model inference tokens per minute for {name}" for name in [*names, "Another 7B"]]
    return {"Quotas": [{"QuotaName": name, "Value": world.quotas.get(name, enough)} for name in listed]}


def display(model: str) -> str:
    """``openai.gpt-oss-120b-1:0`` → ``OpenAI GPT OSS 120B``, as Service Quotas writes it."""
    maker, _, rest = model.partition(".")
    return f"{maker.replace('openai', 'OpenAI')} {rest.rpartition('-')[0].replace('-', ' ').upper()}"


def endpoint_service(world: World, asked: Asked) -> Result:
    """The services that the region has: those that the graph names."""
    name = asked.parameters["ServiceName.1"]
    for inputs in world.wanted.inputs("aws:ec2/vpcEndpoint:VpcEndpoint"):
        if inputs["serviceName"] == name:
            zones = [z["ZoneName"] for z in world.client("ec2").describe_availability_zones()["AvailabilityZones"]]
            kind = [{"ServiceType": inputs["vpcEndpointType"]}]
            return {"ServiceDetails": [{"ServiceName": name, "ServiceType": kind, "AvailabilityZones": zones}]}
    return Refusal("InvalidServiceName")


def orderable(world: World, asked: Asked) -> Result:
    """The graph's engine on the graph's instance class in every zone, in a minor version, and an older version."""
    zones = world.client("ec2").describe_availability_zones()["AvailabilityZones"]
    places = [{"Name": zone["ZoneName"]} for zone in zones]
    fitting = [
        i
        for i in world.wanted.inputs("aws:rds/clusterInstance:ClusterInstance")
        if (i["engine"], i["instanceClass"]) == (asked.parameters["Engine"], asked.parameters["DBInstanceClass"])
    ]
    versions = ["11.9", *sorted({f"{i['engineVersion']}.6" for i in fitting})]
    return {"OrderableDBInstanceOptions": [{"EngineVersion": v, "AvailabilityZones": places} for v in versions]}


def cache_versions(world: World, asked: Asked) -> Result:
    """The engine's versions: the graph's, and an older one."""
    groups = world.wanted.inputs("aws:elasticache/replicationGroup:ReplicationGroup")
    versions = ["7.2", *(str(g["engineVersion"]) for g in groups if g["engine"] == asked.parameters["Engine"])]
    return {"CacheEngineVersions": [{"Engine": asked.parameters["Engine"], "EngineVersion": v} for v in versions]}


def cache_offerings(world: World, asked: Asked) -> Result:
    """Reservations of the graph's node types."""
    groups = world.wanted.inputs("aws:elasticache/replicationGroup:ReplicationGroup")
    sold = [g["nodeType"] for g in groups if g["nodeType"] == asked.parameters["CacheNodeType"]]
    return {"ReservedCacheNodesOfferings": [{"CacheNodeType": node} for node in sold]}


def model(world: World, asked: Asked) -> Result:
    """A declared model in its region."""
    name = asked.path.rpartition("/")[2]
    if (asked.region, name) not in world.wanted.bedrock_models:
        return Refusal("ResourceNotFoundException", "no such model", 404)
    arn = f"arn:aws:bedrock:{asked.region}::foundation-model/{name}"
    return {"modelDetails": {"modelArn": arn, "modelId": name, "modelLifecycle": {"status": "ACTIVE"}}}


def available(asked: Asked, **other: object) -> Result:
    """Full access to a model."""
    return {
        "modelId": asked.path.rpartition("/")[2],
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
        **other,
    }


def chat(world: World, asked: Asked) -> Result:
    """A model's answer, to a request that is signed for Bedrock in the model's region and asks for one token."""
    body = asked.parameters
    declared = (asked.region, body["model"]) in world.wanted.bedrock_models
    if not declared or body["signed for"] != "bedrock" or body["max_tokens"] != 1:
        return 400, {"error": {"message": "not what the proxy would send"}}
    return 200, {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ready"}, "finish_reason": "length"}]
    }


def certificate(folder: Path, hosts: list[str], days: int) -> tuple[bytes, bytes]:
    """A certificate and its key in PEM, for ACM's import."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def replaced(wanted: Wanted, **changes: Any) -> Wanted:  # noqa: ANN401
    """The same needs with other values."""
    return dataclasses.replace(wanted, **changes)
