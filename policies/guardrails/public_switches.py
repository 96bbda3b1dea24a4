"""The properties of which one value makes a resource public, and the values.

A service whose address is public unless a property restricts it counts as public while the property is not set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .topology.graph.resources import Resource, Unknown
from .topology.graph.values import Value, as_list, walk
from .topology.iam.callers import pins

ANY = "any value"
"""The property makes the resource public with every value."""
SHARED, REACHABLE = "is shared publicly", "is reachable from the internet"


@dataclass(frozen=True, slots=True)
class Switch:
    """A property, the values that make it public, and the properties that restrict it."""

    path: str
    """``[]`` stands for each element of a list."""
    open: tuple[object, ...]
    """``None`` if the resource is public while the property is not set."""
    wanted: str
    fix: str
    narrowed: tuple[str, ...] = ()
    """Properties of which any value restricts it to an account, an organization or a resource."""
    unless: tuple[str, object] = ("", None)
    """A property and the value with which it is not public."""
    only: tuple[str, str] = ("", "")
    """A property and the end of the value with which the switch has this meaning."""
    what: str = SHARED

    def opens(self, value: Value) -> bool:
        """Whether a value that is known makes it public."""
        return value in self.open or (ANY in self.open and value not in (None, "", [], {}))


def spread(resource: Resource, path: str) -> Iterator[tuple[str, Value]]:
    """Each place that a path with ``[]`` reaches, with its value, secrets revealed."""
    head, list_, rest = path.partition("[]")
    found = resource.value(head)
    if not list_ or isinstance(found, Unknown):
        yield head, found
        return
    items = as_list(found) if as_list(found) is not None else ([] if found is None else [found])
    for index, item in enumerate(items or []):
        place, below = f"{head}[{index}]", rest.removeprefix(".")
        if not below:
            yield place, item
        elif "[]" not in below:
            yield f"{place}.{below}", walk(item, below)
        else:
            yield from spread(resource, f"{place}.{below}")


def narrows(path: str, value: Value) -> bool:
    """Whether a property that is known limits a grant: the ARN or the account of a source has to be a certain one."""
    if value in (None, "", {}, []):
        return False
    if not isinstance(value, str):
        return True
    key = {"sourceArn": "aws:sourcearn", "sourceAccount": "aws:sourceaccount", "principalOrgId": "aws:principalorgid"}
    return path not in key or pins(key[path], value)


_ACCOUNTS = "12-digit accounts"
_SHARED = Switch("sharedAccounts", ("all",), _ACCOUNTS, "list the accounts in sharedAccounts, or remove it")
_CALLERS = "an account, a role or a service"
_LATTICE = Switch(
    "authType", (None, "NONE"), "AWS_IAM", "set authType to AWS_IAM and list the allowed callers in an auth policy"
)
_BLOCKED = Switch(
    "state", ("unblocked",), "block-all-sharing or block-new-sharing", "set state to block-all-sharing",
    what="lets every image or snapshot of the account be shared publicly",
)  # fmt: skip


def _key(path: str, unless: tuple[str, object] = ("", None)) -> Switch:
    fix = "use a user pool, OpenID Connect, a function or IAM: an API key is in every client and names no user"
    return Switch(path, ("API_KEY",), "a login or a signature", fix, unless=unless, what="asks for an API key only")


def _no_authorizer(path: str = "authorizerType") -> Switch:
    fix = f"set {path} to CUSTOM_JWT or AWS_IAM"
    return Switch(path, ("NONE",), "CUSTOM_JWT or AWS_IAM", fix, what="answers everyone on the internet")


def _address(path: str, open_: tuple[object, ...], wanted: str) -> Switch:
    return Switch(path, open_, wanted, f"set {path} to {wanted}", what=REACHABLE)


_ANYBODY = ("AllUsers", "AuthenticatedUsers")

SWITCHES: dict[str, tuple[Switch, ...]] = {
    "agentregistry.Registry": (_no_authorizer("discoveryConfiguration.authorizerType"),),
    "appstream.Fleet": (_address("enableDefaultInternetAccess", (True,), "false"),),
    "appstream.ImageBuilder": (_address("enableDefaultInternetAccess", (True,), "false"),),
    "appsync.Api": (
        _key("eventConfig.connectionAuthModes[].authType"),
        _key("eventConfig.defaultPublishAuthModes[].authType"),
        _key("eventConfig.defaultSubscribeAuthModes[].authType"),
    ),
    "appsync.ChannelNamespace": (_key("publishAuthModes[].authType"), _key("subscribeAuthModes[].authType")),
    "appsync.GraphQLApi": (
        _key("authenticationType", ("visibility", "PRIVATE")),
        _key("additionalAuthenticationProviders[].authenticationType", ("visibility", "PRIVATE")),
    ),
    "bedrock.AgentcoreGateway": (_no_authorizer(),),
    "bedrock.AgentcoreRegistry": (_no_authorizer(),),
    "cloudwatch.EventPermission": (Switch("principal", ("*",), _ACCOUNTS, "name the account", ("condition",)),),
    "codebuild.Project": (
        Switch("projectVisibility", ("PUBLIC_READ",), "PRIVATE", "remove projectVisibility", what="publishes its builds and logs"),
    ),
    "codepipeline.Webhook": (
        Switch("authentication", ("UNAUTHENTICATED",), "GITHUB_HMAC", "set authentication to GITHUB_HMAC with a secretToken",
               what="lets everyone start the pipeline"),
    ),
    "cognito.IdentityPool": (
        Switch("allowUnauthenticatedIdentities", (True,), "false", "set allowUnauthenticatedIdentities to false",
               what="issues AWS credentials to everyone on the internet"),
    ),
    "drs.ReplicationConfigurationTemplate": (_address("createPublicIp", (True,), "false"),),
    "ebs.SnapshotBlockPublicAccess": (_BLOCKED,),
    "ec2.AmiLaunchPermission": (Switch("group", ("all",), _ACCOUNTS, "name an accountId instead of group"),),
    "ec2.ImageBlockPublicAccess": (_BLOCKED,),
    "ec2.SerialConsoleAccess": (
        Switch("enabled", (None, True), "false", "set enabled to false", what="opens the serial console of every instance of the account"),
    ),
    "ec2.VpcBlockPublicAccessOptions": (
        _address("internetGatewayBlockMode", ("off",), "block-ingress or block-bidirectional"),
    ),
    "ec2.VpcBlockPublicAccessExclusion": (
        _address("internetGatewayExclusionMode", ("allow-bidirectional",), "allow-egress"),
    ),
    "ec2transitgateway.TransitGateway": (
        Switch("autoAcceptSharedAttachments", ("enable",), "disable", "accept each attachment by itself",
               what="joins the network of every account that it is shared with"),
    ),
    "ecrpublic.Repository": (
        Switch("repositoryName", (ANY,), "a private repository (ecr.Repository)", "use ecr.Repository", what="publishes its images"),
    ),
    "eks.NodeGroup": (
        Switch("remoteAccess.ec2SshKey", (ANY,), "security groups of its clients", "name them in remoteAccess.sourceSecurityGroupIds",
               ("remoteAccess.sourceSecurityGroupIds",), what="admits SSH from everywhere"),
    ),
    "elasticache.User": (
        Switch("noPasswordRequired", (True,), "a password or IAM", "remove noPasswordRequired and set authenticationMode"),
        Switch("authenticationMode.type", ("no-password-required",), "iam or password", "set authenticationMode.type to iam"),
    ),
    "elastictranscoder.Pipeline": tuple(
        Switch(f"{path}[].grantee", _ANYBODY, _ACCOUNTS, "name the accounts")
        for path in ("contentConfigPermissions", "thumbnailConfigPermissions")
    ),
    "emr.BlockPublicAccessConfiguration": (
        _address("blockPublicSecurityGroupRules", (False,), "true"),
    ),
    "grafana.Workspace": (
        Switch("networkAccessControl", (None, {}, []), "prefix lists and VPC endpoints", "limit who reaches it in networkAccessControl",
               what=REACHABLE),
    ),
    "imagebuilder.DistributionConfiguration": (
        Switch("distributions[].amiDistributionConfiguration.launchPermission.userGroups", ("all", ["all"]), _ACCOUNTS,
               "list userIds instead of userGroups"),
    ),
    "lambda.LayerVersionPermission": (
        Switch("principal", ("*",), _ACCOUNTS, "name the account in principal", ("organizationId",)),
    ),
    "lambda.Permission": (
        Switch(
            "principal", ("*",), _CALLERS, "name the allowed caller in principal",
            ("principalOrgId", "sourceAccount", "sourceArn"),
        ),
    ),
    "lightsail.ContainerServiceDeploymentVersion": (
        Switch("publicEndpoint", (ANY,), "no public endpoint", "remove publicEndpoint", what=REACHABLE),
    ),
    "lightsail.Instance": (
        Switch("ipAddressType", (None, ANY), "an instance in a private subnet (ec2.Instance)", "use ec2.Instance in a private subnet",
               what="has a public address, as every Lightsail instance"),
    ),
    "memorydb.Cluster": (
        Switch("aclName", ("open-access",), "an ACL of users", "use an ACL of users with passwords or IAM",
               what="asks no client for a password"),
    ),
    "msk.Cluster": (
        _address("brokerNodeGroupInfo.connectivityInfo.publicAccess.type", ("SERVICE_PROVIDED_EIPS",), "DISABLED"),
        Switch("clientAuthentication.unauthenticated", (True,), "IAM, SASL/SCRAM or TLS",
               "set clientAuthentication.unauthenticated to false", what="asks no client for a login"),
    ),
    "mwaa.Environment": (_address("webserverAccessMode", ("PUBLIC_ONLY",), "PRIVATE_ONLY"),),
    "opensearch.Domain": (
        Switch("advancedSecurityOptions.anonymousAuthEnabled", (True,), "false", "set anonymousAuthEnabled to false",
               what="answers without a login"),
    ),
    "opensearchingest.Pipeline": (
        Switch("vpcOptions", (None, {}), "private subnets", "place the pipeline in private subnets (vpcOptions)", what=REACHABLE),
    ),
    "rds.ClusterSnapshot": (_SHARED,),
    "rds.ClusterSnapshotCopy": (_SHARED,),
    "rds.Snapshot": (_SHARED,),
    "rds.SnapshotCopy": (_SHARED,),
    "sagemaker.Domain": (_address("appNetworkAccessType", (None, "PublicInternetOnly"), "VpcOnly"),),
    "sagemaker.NotebookInstance": (_address("directInternetAccess", (None, "Enabled"), "Disabled"),),
    "ssm.Document": (
        Switch("permissions.account_ids", ("all", "All"), _ACCOUNTS, "name the accounts in permissions.account_ids"),
    ),
    "ssm.ServiceSetting": (
        Switch("settingValue", ("Enable",), "Disable", "set it to Disable", only=("settingId", "/public-sharing-permission"),
               what="lets every document of the account be shared publicly"),
    ),
    "vpclattice.Service": (_LATTICE,),
    "vpclattice.ServiceNetwork": (_LATTICE,),
    "transfer.WebApp": (
        Switch("endpointDetails.vpc", (None, {}), "an endpoint in the network", "set endpointDetails.vpc", what=REACHABLE),
    ),
    "workspaces.Directory": (_address("workspaceCreationProperties.enableInternetAccess", (True,), "false"),),
}  # fmt: skip
"""Type → its switches."""
