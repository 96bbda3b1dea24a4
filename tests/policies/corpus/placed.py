"""Every type with a place in the network: reported in a public subnet, quiet in a private one; and what publishes itself."""

from __future__ import annotations

from functools import partial

from policies.guardrails.topology.graph.values import Value, as_list, as_mapping
from tests.policies.corpus.addresses import network
from tests.policies.corpus.documents import ROLE
from tests.policies.corpus.planting import PLANTED, SAFE, Case, Kind, planted, rows, safe, safe_rows
from tests.topology.builders import Ref, Stack

REACHED, AUTHENTICATE = "reachability-no-internal-endpoint-reachable", "reachability-internet-paths-authenticate"
SUBNET, GROUP = Ref("(subnet)"), Ref("inner")
_VPC: Value = {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]}
_LISTED: Value = {"subnets": [SUBNET], "securityGroups": [GROUP]}
_TEMPLATE: dict[str, Value] = {"launchTemplateSpecification": {"launchTemplateId": Ref("template"), "version": "1"}}
PLACED: dict[str, tuple[str, dict[str, Value]]] = {
    "streaming instances": ("appstream.Fleet", {"vpcConfig": _VPC}),
    "a streaming instance": ("appstream.ImageBuilder", {"vpcConfig": _VPC}),
    "an agent": ("bedrock.AgentcoreAgentRuntime", {"networkConfiguration": {"networkModeConfig": _LISTED}}),
    "a browser": ("bedrock.AgentcoreBrowser", {"networkConfiguration": {"vpcConfig": _LISTED}}),
    "a code interpreter": ("bedrock.AgentcoreCodeInterpreter", {"networkConfiguration": {"vpcConfig": _LISTED}}),
    "a workstation in the browser": ("cloud9.EnvironmentEC2", {"subnetId": SUBNET}),
    "a module of a key store": ("cloudhsmv2.Hsm", {"subnetId": SUBNET, "clusterId": "c"}),
    "a directory of another region": ("directoryservice.ServiceRegion", {"vpcSettings": {"subnetIds": [SUBNET]}}),
    "a fleet": ("ec2.Fleet", {"launchTemplateConfigs": [_TEMPLATE | {"overrides": [{"subnetId": SUBNET}]}]}),
    "a spot fleet": ("ec2.SpotFleetRequest", {"launchSpecifications": [{"subnetId": SUBNET, "vpcSecurityGroupIds": [GROUP]}]}),
    "an instance connect endpoint": ("ec2transitgateway.InstanceConnectEndpoint", {"subnetId": SUBNET, "securityGroupIds": [GROUP]}),
    "an express service": ("ecs.ExpressGatewayService", {"networkConfigurations": [_LISTED]}),
    "notebooks of a cluster": ("emr.Studio", {"subnetIds": [SUBNET], "workspaceSecurityGroupId": GROUP}),
    "a time series database": ("finspace.KxCluster", {"vpcConfiguration": _VPC}),
    "game servers": ("gamelift.GameServerGroup", {"vpcSubnets": [SUBNET], "launchTemplate": {"id": Ref("template")}}),
    "a video encoder": ("medialive.Channel", {"vpc": _VPC}),
    "a video input": ("medialive.Input", {"type": "RTP_PUSH", "vpc": _VPC}),
    "an endpoint of brokers": ("msk.VpcConnection", {"clientSubnets": [SUBNET], "securityGroups": [GROUP]}),
    "an endpoint of a pipeline": ("opensearchingest.PipelineEndpoint", {"vpcOptions": _VPC}),
    "an endpoint of an outpost": ("s3outposts.Endpoint", {"subnetId": SUBNET, "securityGroupId": GROUP}),
    "notebooks": ("sagemaker.Domain", {"appNetworkAccessType": "VpcOnly", "subnetIds": [SUBNET],
                                       "defaultUserSettings": {"securityGroups": [GROUP]}}),
    "a file server": ("transfer.Server", {"endpointType": "VPC", "endpointDetails": _VPC}),
    "a page for files": ("transfer.WebApp", {"endpointDetails": {"vpc": _VPC}}),
    "an endpoint of a route server": ("vpc.RouteServerEndpoint", {"subnetId": SUBNET}),
    "a gateway to resources": ("vpclattice.ResourceGateway", {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]}),
    "workstations": ("workspaces.Directory", {"subnetIds": [SUBNET], "workspaceCreationProperties": {"customSecurityGroupId": GROUP}}),
}  # fmt: skip
"""What it is → its type, and its properties with the place of the subnet."""


def _at(value: Value, subnet: str) -> Value:
    """The properties with the subnet in its place."""
    if value is SUBNET:
        return Ref(subnet)
    if (mapping := as_mapping(value)) is not None:
        return {key: _at(item, subnet) for key, item in mapping.items()}
    items = as_list(value)
    return value if items is None else [_at(item, subnet) for item in items]


def put(stack: Stack, what: str, subnet: str) -> None:
    """The network, and one resource in one of its subnets."""
    network(stack)
    kind, properties = PLACED[what]
    stack.add("ec2.LaunchTemplate", "template", vpcSecurityGroupIds=[GROUP])
    stack.add(kind, "planted", **{key: _at(value, subnet) for key, value in properties.items()})


for _what in PLACED:
    PLANTED.append(
        Case(Kind.ADDRESS, f"{_what} in a public subnet", REACHED, partial(put, what=_what, subnet="public"))
    )
    SAFE.append(Case(Kind.ADDRESS, f"{_what} in a private subnet", "", partial(put, what=_what, subnet="private")))


@planted(Kind.ADDRESS, REACHED)
def a_video_encoder_with_elastic_addresses(stack: Stack) -> None:
    network(stack)
    addressed = {
        "subnetIds": [Ref("private")],
        "securityGroupIds": [GROUP],
        "publicAddressAllocationIds": ["eipalloc-1"],
    }
    stack.add("medialive.Channel", "planted", vpc=addressed)


@planted(Kind.ADDRESS, REACHED)
def a_spot_fleet_whose_template_opens_a_port(stack: Stack) -> None:
    network(stack)
    everyone = {"protocol": "tcp", "fromPort": 8080, "toPort": 8080, "cidrBlocks": ["0.0.0.0/0"]}
    stack.add("ec2.SecurityGroup", "open", vpcId=Ref("vpc"), ingress=[everyone])
    stack.add("ec2.LaunchTemplate", "template", vpcSecurityGroupIds=[Ref("open")])
    named = {
        "launchTemplateSpecification": {"id": Ref("template"), "version": "1"},
        "overrides": [{"subnetId": Ref("private")}],
    }
    stack.add("ec2.SpotFleetRequest", "planted", launchTemplateConfigs=[named])


@planted(Kind.LOGIN, AUTHENTICATE)
def a_branch_without_a_password(stack: Stack) -> None:
    stack.add("amplify.App", "app", name="site")
    stack.add("amplify.Branch", "main", appId=Ref("app"), branchName="main")


@safe(Kind.LOGIN)
def a_branch_whose_app_has_a_password(stack: Stack) -> None:
    stack.add("amplify.App", "app", name="site", enableBasicAuth=True)
    stack.add("wafv2.WebAcl", "acl", scope="CLOUDFRONT", defaultAction={"block": {}}, rules=[])
    stack.add("wafv2.WebAclAssociation", "acl-app", resourceArn=Ref("app", "arn"), webAclArn=Ref("acl", "arn"))
    stack.add("amplify.Branch", "main", appId=Ref("app"), branchName="main")


@planted(Kind.LOGIN, AUTHENTICATE)
def a_distribution_of_tenants_before_an_api(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP")
    stack.add(
        "cloudfront.MultitenantDistribution", "site", enabled=True,
        origins=[{"id": "one", "domainName": Ref("api", "apiEndpoint", as_host=True)}],
        defaultCacheBehavior={"targetOriginId": "one", "trustedKeyGroups": {"enabled": False}},
    )  # fmt: skip


rows(
    Kind.LOGIN,
    AUTHENTICATE,
    ("a stream that everyone watches", "ivs.Channel", {"type": "STANDARD"}),
    ("a service of tasks behind a load balancer that the service makes", "ecs.ExpressGatewayService", {"executionRoleArn": ROLE}),
    ("a load balancer of Lightsail", "lightsail.Lb", {"instancePort": 80}),
    ("a distribution of Lightsail", "lightsail.Distribution", {"isEnabled": True}),
)  # fmt: skip
rows(
    Kind.SWITCH,
    "stack-nothing-is-shared-publicly",
    ("a page for files on the internet", "transfer.WebApp", {"identityProviderDetails": {}}),
)
rows(
    Kind.SWITCH,
    "s3-public-bucket",
    ("a share whose files everyone reads", "storagegateway.NfsFileShare", {"objectAcl": "public-read", "clientLists": ["10.0.0.0/8"]}),
)  # fmt: skip
rows(
    Kind.ADDRESS,
    "vpc-open-ingress",
    ("a file share for every host", "storagegateway.NfsFileShare", {"clientLists": ["0.0.0.0/0"]}),
)
safe_rows(
    Kind.LOGIN,
    ("a stream with tokens", "ivs.Channel", {"type": "STANDARD", "authorized": True}),
    ("a mail server in the network", "mailmanager.IngressPoint",
     {"type": "OPEN", "networkConfiguration": {"privateNetworkConfiguration": {"vpcEndpointId": "vpce-1"}}}),
    ("a distribution of Lightsail that is off", "lightsail.Distribution", {"isEnabled": False}),
)  # fmt: skip
safe_rows(
    Kind.ADDRESS, ("a file share for one network", "storagegateway.NfsFileShare", {"clientLists": ["10.0.0.0/8"]})
)
rows(
    Kind.SWITCH,
    "stack-nothing-is-shared-publicly",
    ("brokers with public addresses", "msk.Cluster",
     {"brokerNodeGroupInfo": {"connectivityInfo": {"publicAccess": {"type": "SERVICE_PROVIDED_EIPS"}}}}),
    ("brokers without a login", "msk.Cluster", {"clientAuthentication": {"unauthenticated": True}}),
    ("workflows on the internet", "mwaa.Environment", {"webserverAccessMode": "PUBLIC_ONLY"}),
)  # fmt: skip
