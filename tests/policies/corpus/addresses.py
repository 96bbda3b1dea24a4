"""Properties that alone make public, address lists, the placing of services, and hosts that are derived from outputs."""

from __future__ import annotations

import json

from policies.guardrails.topology.graph.values import Value
from tests.policies.corpus.documents import OURS, ROLE
from tests.policies.corpus.planting import Kind, planted, rows, safe, safe_rows
from tests.topology.builders import Ref, Stack

DOCUMENTED = "apigateway-documents-authenticate"
SHARED, REACHED, INGRESS = (
    "stack-nothing-is-shared-publicly", "reachability-no-internal-endpoint-reachable", "vpc-open-ingress",
)  # fmt: skip
_KEY = [{"authType": "API_KEY"}]
rows(
    Kind.SWITCH,
    SHARED,
    ("an API with a key", "appsync.GraphQLApi", {"authenticationType": "API_KEY"}),
    ("an API with a key beside a login", "appsync.GraphQLApi", {
        "authenticationType": "AWS_IAM", "additionalAuthenticationProviders": [{"authenticationType": "API_KEY"}]}),
    ("events with a key", "appsync.Api", {"eventConfig": {"connectionAuthModes": _KEY}}),
    ("a channel with a key", "appsync.ChannelNamespace", {"subscribeAuthModes": _KEY}),
    ("a gateway with no authorizer", "bedrock.AgentcoreGateway", {"authorizerType": "NONE", "protocolType": "MCP", "roleArn": ROLE}),
    ("a notebook with direct internet access", "sagemaker.NotebookInstance", {"instanceType": "ml.t3.medium", "roleArn": ROLE}),
    ("a domain of notebooks by the internet", "sagemaker.Domain", {"authMode": "SSO"}),
    ("dashboards for every network", "grafana.Workspace", {"accountAccessType": "CURRENT_ACCOUNT"}),
    ("a cache without passwords", "memorydb.Cluster", {"aclName": "open-access", "nodeType": "db.t4g.small"}),
    ("a search domain for everyone", "opensearch.Domain",
     {"vpcOptions": {"subnetIds": ["subnet-1"]}, "advancedSecurityOptions": {"anonymousAuthEnabled": True}}),
    ("public images", "ecrpublic.Repository", {"repositoryName": "app"}),
    ("public builds", "codebuild.Project", {"projectVisibility": "PUBLIC_READ"}),
    ("a pipeline that everyone starts", "codepipeline.Webhook", {"authentication": "UNAUTHENTICATED"}),
    ("documents of the account may be public", "ssm.ServiceSetting", {
        "settingId": f"arn:aws:ssm:eu-west-1:{OURS}:servicesetting/ssm/documents/console/public-sharing-permission", "settingValue": "Enable"}),
    ("images of the account may be public", "ec2.ImageBlockPublicAccess", {"state": "unblocked"}),
    ("snapshots of the account may be public", "ebs.SnapshotBlockPublicAccess", {"state": "unblocked"}),
    ("groups of the account may be open", "emr.BlockPublicAccessConfiguration", {"blockPublicSecurityGroupRules": False}),
    ("a network out of the account's block", "ec2.VpcBlockPublicAccessExclusion",
     {"vpcId": "vpc-1", "internetGatewayExclusionMode": "allow-bidirectional"}),
    ("workstations with public addresses", "workspaces.Directory", {"workspaceCreationProperties": {"enableInternetAccess": True}}),
    ("a public deployment of containers", "lightsail.ContainerServiceDeploymentVersion",
     {"serviceName": "s", "publicEndpoint": {"containerName": "c", "containerPort": 80}}),
    ("replication servers with public addresses", "drs.ReplicationConfigurationTemplate", {"createPublicIp": True}),
    ("an ingestion pipeline outside the network", "opensearchingest.Pipeline", {"pipelineName": "p"}),
)  # fmt: skip
rows(
    Kind.SWITCH,
    "rds-public-database",
    *((f"publicly accessible: {kind}", kind, {"publiclyAccessible": True}) for kind in (
        "dms.InstanceProfile", "lightsail.Database", "m2.Environment", "rds.ShardGroup", "timestreaminfluxdb.DbCluster")),
)  # fmt: skip
rows(
    Kind.SWITCH,
    "s3-public-bucket",
    ("an access point of several regions without its block", "s3control.MultiRegionAccessPoint",
     {"details": {"name": "m", "publicAccessBlock": {"blockPublicPolicy": False}}}),
    ("an access list with every account", "s3.BucketAcl", {"bucket": "b", "accessControlPolicy": {"grants": [
        {"permission": "READ", "grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}}]}}),
    ("objects that a rule writes for everyone", "iot.TopicRule", {"s3": [{"bucketName": "b", "cannedAcl": "public-read"}]}),
)  # fmt: skip
rows(
    Kind.SWITCH,
    "apigateway-routes-authenticate",
    (
        "a method with a key",
        "apigateway.Method",
        {"httpMethod": "GET", "authorization": "NONE", "apiKeyRequired": True},
    ),
)
_BODY = {
    "paths": {
        "/{proxy+}": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {"type": "aws_proxy"}}}
    }
}
rows(
    Kind.SWITCH,
    DOCUMENTED,
    ("a document with a path for everyone", "apigateway.RestApi", {"body": json.dumps(_BODY)}),
    ("a document with a path for everyone, put into an API", "apigateway.RestApiPut", {"restApiId": "a1", "body": json.dumps(_BODY)}),
    ("a document of an HTTP API with a path for everyone", "apigatewayv2.Api", {"protocolType": "HTTP", "body": json.dumps(_BODY)}),
    ("an HTTP API that leads to its target", "apigatewayv2.Api", {"protocolType": "HTTP", "target": "arn:x"}),
)  # fmt: skip


@planted(Kind.DERIVED, DOCUMENTED)
def a_document_that_is_made_with_its_functions_name(stack: Stack) -> None:
    stack.add("lambda.Function", "hook", role=ROLE)
    document = (
        json.dumps(_BODY).replace("{", "{{").replace("}", "}}").replace('"aws_proxy"', '"aws_proxy", "uri": "{}"')
    )
    stack.add("apigateway.RestApi", "api", body=Ref("hook", "arn", form=document))


@planted(Kind.DERIVED, "apigateway-routes-authenticate")
def a_method_below_a_resource_of_the_api(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"})
    stack.add("apigateway.Resource", "all", restApi=Ref("api"), parentId="root", pathPart="{proxy+}")
    stack.add(
        "apigateway.Method", "any", restApi=Ref("api"), resourceId=Ref("all"), httpMethod="ANY", authorization="NONE"
    )


@safe(Kind.SWITCH)
def a_method_of_an_api_that_only_the_network_reaches(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "PRIVATE"})
    stack.add("apigateway.Method", "any", restApi=Ref("api"), resourceId="r1", httpMethod="ANY", authorization="NONE")


@safe(Kind.SWITCH)
def messages_of_a_connection_that_opens_with_a_signature(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "api", protocolType="WEBSOCKET")
    stack.add("apigatewayv2.Route", "open", apiId=Ref("api"), routeKey="$connect", authorizationType="AWS_IAM")
    stack.add("apigatewayv2.Route", "send", apiId=Ref("api"), routeKey="$default", authorizationType="NONE")


rows(
    Kind.ADDRESS,
    INGRESS,
    ("a database port of an instance", "lightsail.InstancePublicPorts",
     {"portInfos": [{"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrs": ["0.0.0.0/0"]}]}),
    ("a port of an instance for everyone, by omission", "lightsail.InstancePublicPorts",
     {"portInfos": [{"protocol": "tcp", "fromPort": 22, "toPort": 22}]}),
    ("video from everyone", "medialive.InputSecurityGroup", {"whitelistRules": [{"cidr": "0.0.0.0/0"}]}),
    ("workstations for every network, in two halves", "workspaces.IpGroup",
     {"rules": [{"source": "0.0.0.0/1"}, {"source": "128.0.0.0/1"}]}),
    ("a game port for everyone", "gamelift.Fleet",
     {"ec2InboundPermissions": [{"protocol": "TCP", "fromPort": 22, "toPort": 22, "ipRange": "0.0.0.0/0"}]}),
)  # fmt: skip
rows(
    Kind.ADDRESS,
    REACHED,
    ("a web environment with its default load balancer", "elasticbeanstalk.Environment", {"application": "a", "settings": []}),
    ("a job with a public address", "batch.JobDefinition",
     {"type": "container", "containerProperties": json.dumps({"networkConfiguration": {"assignPublicIp": "ENABLED"}})}),
    ("a development endpoint outside the network", "glue.DevEndpoint", {"roleArn": ROLE}),
    ("collections that the internet reaches", "opensearch.ServerlessSecurityPolicy",
     {"type": "network", "name": "n", "policy": json.dumps([{"AllowFromPublic": True, "Rules": []}])}),
)  # fmt: skip


def network(stack: Stack) -> None:
    """A network of a public and a private subnet, and an open group."""
    stack.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    stack.add("ec2.DefaultSecurityGroup", "locked", vpcId=Ref("vpc"))
    stack.add("ec2.InternetGateway", "igw", vpcId=Ref("vpc"))
    for tier, block in (("public", "10.0.0.0/24"), ("private", "10.0.1.0/24")):
        stack.add("ec2.Subnet", tier, vpcId=Ref("vpc"), cidrBlock=block, mapPublicIpOnLaunch=tier == "public")
        stack.add("ec2.RouteTable", f"{tier}-table", vpcId=Ref("vpc"))
        stack.add("ec2.RouteTableAssociation", f"{tier}-at", subnetId=Ref(tier), routeTableId=Ref(f"{tier}-table"))
    stack.add(
        "ec2.Route", "out", routeTableId=Ref("public-table"), destinationCidrBlock="0.0.0.0/0", gatewayId=Ref("igw")
    )
    stack.add("ec2.SecurityGroup", "inner", vpcId=Ref("vpc"))


def batch(stack: Stack, subnet: str) -> None:
    """Machines that a service starts for jobs."""
    network(stack)
    resources: Value = {"type": "EC2", "subnets": [Ref(subnet)], "securityGroupIds": [Ref("inner")], "maxVcpus": 4}
    stack.add("batch.ComputeEnvironment", "jobs", type="MANAGED", computeResources=resources)


@planted(Kind.ADDRESS, REACHED)
def machines_for_jobs_in_a_public_subnet(stack: Stack) -> None:
    batch(stack, "public")


@safe(Kind.ADDRESS)
def machines_for_jobs_in_a_private_subnet(stack: Stack) -> None:
    batch(stack, "private")


@planted(Kind.ADDRESS, REACHED)
def a_task_that_a_pipe_starts_with_a_public_address(stack: Stack) -> None:
    network(stack)
    inner: Value = {"subnets": [Ref("private")], "securityGroups": [Ref("inner")], "assignPublicIp": "ENABLED"}
    parameters = {"ecsTaskParameters": {"networkConfiguration": {"awsVpcConfiguration": inner}}}
    stack.add("pipes.Pipe", "pipe", targetParameters=parameters, roleArn=ROLE)


@safe(Kind.ADDRESS)
def a_task_that_a_pipe_starts_in_a_private_subnet(stack: Stack) -> None:
    network(stack)
    inner: Value = {"subnets": [Ref("private")], "securityGroups": [Ref("inner")], "assignPublicIp": "DISABLED"}
    parameters = {"ecsTaskParameters": {"networkConfiguration": {"awsVpcConfiguration": inner}}}
    stack.add("pipes.Pipe", "pipe", targetParameters=parameters, roleArn=ROLE)


@safe(Kind.ADDRESS)
def a_default_route_to_an_inspecting_endpoint(stack: Stack) -> None:
    network(stack)
    stack.add("ec2.VpcEndpoint", "inspection", vpcId=Ref("vpc"), vpcEndpointType="GatewayLoadBalancer", subnetIds=[Ref("public")],
              serviceName="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0")  # fmt: skip
    stack.add("ec2.Route", "inspected", routeTableId=Ref("private-table"), destinationCidrBlock="0.0.0.0/0",
              vpcEndpointId=Ref("inspection"))  # fmt: skip
    service(stack, "private")


def service(stack: Stack, subnet: str) -> None:
    """A service of tasks."""
    stack.add("ecs.Service", "service", networkConfiguration={"subnets": [Ref(subnet)], "securityGroups": [Ref("inner")],
                                                             "assignPublicIp": False})  # fmt: skip


@planted(Kind.ADDRESS, REACHED)
def a_default_route_to_an_endpoint_through_which_the_internet_comes(stack: Stack) -> None:
    a_default_route_to_an_inspecting_endpoint(stack)
    stack.add("ec2.RouteTable", "edge-table", vpcId=Ref("vpc"))
    stack.add("ec2.RouteTableAssociation", "edge-at", gatewayId=Ref("igw"), routeTableId=Ref("edge-table"))
    stack.add("ec2.Route", "inward", routeTableId=Ref("edge-table"), destinationCidrBlock="10.0.1.0/24",
              vpcEndpointId=Ref("inspection"))  # fmt: skip


@safe(Kind.ADDRESS)
def tasks_with_a_route_out_by_a_transit_gateway(stack: Stack) -> None:
    network(stack)
    stack.add(
        "ec2.Route",
        "hub",
        routeTableId=Ref("private-table"),
        destinationCidrBlock="0.0.0.0/0",
        transitGatewayId="tgw-1",
    )
    service(stack, "private")


@planted(Kind.DERIVED, "reachability-internet-paths-authenticate")
def a_function_url_behind_a_distribution_by_its_derived_host(stack: Stack) -> None:
    stack.add("lambda.Function", "hook", role=ROLE)
    stack.add("lambda.FunctionUrl", "url", functionName=Ref("hook", "name"), authorizationType="AWS_IAM")
    distribution(stack, Ref("url", "functionUrl", as_host=True))


@planted(Kind.DERIVED, "reachability-internet-paths-authenticate")
def an_http_api_behind_a_distribution_by_its_derived_host(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP")
    distribution(stack, Ref("api", "apiEndpoint", as_host=True))


@planted(Kind.DERIVED, "reachability-internet-paths-authenticate")
def a_rest_api_behind_a_distribution_by_a_host_of_its_identifier(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"})
    distribution(stack, Ref("api", form="{}.execute-api.eu-west-1.amazonaws.com"))


@safe(Kind.DERIVED)
def a_bucket_behind_a_distribution(stack: Stack) -> None:
    stack.add(
        "s3.Bucket", "pages", bucket="site-of-acme", bucketRegionalDomainName="site-of-acme.s3.eu-west-1.amazonaws.com"
    )
    distribution(stack, Ref("pages", form="site-of-acme.s3.eu-west-1.amazonaws.com"))


def distribution(stack: Stack, host: Ref) -> None:
    """A distribution with one origin."""
    stack.add("cloudfront.Distribution", "site", enabled=True, origins=[{"originId": "one", "domainName": host}],
              defaultCacheBehavior={"targetOriginId": "one", "viewerProtocolPolicy": "https-only"})  # fmt: skip


safe_rows(
    Kind.SWITCH,
    ("an API with a key that only the network reaches", "appsync.GraphQLApi", {"authenticationType": "API_KEY", "visibility": "PRIVATE"}),
    ("an API with a user pool", "appsync.GraphQLApi", {"authenticationType": "AMAZON_COGNITO_USER_POOLS"}),
    ("a gateway with tokens", "bedrock.AgentcoreGateway", {"authorizerType": "CUSTOM_JWT", "protocolType": "MCP", "roleArn": ROLE}),
    ("dashboards for one network", "grafana.Workspace", {"networkAccessControl": {"prefixListIds": ["pl-1"], "vpceIds": []}}),
    ("images of the account stay private", "ec2.ImageBlockPublicAccess", {"state": "block-new-sharing"}),
    ("another setting of the account", "ssm.ServiceSetting", {
        "settingId": f"arn:aws:ssm:eu-west-1:{OURS}:servicesetting/ssm/parameter-store/high-throughput-enabled", "settingValue": "true"}),
    ("a bucket's whole block", "s3.BucketPublicAccessBlock", {"bucket": "b", "blockPublicAcls": True, "blockPublicPolicy": True,
                                                             "ignorePublicAcls": True, "restrictPublicBuckets": True}),
    ("a private web environment", "elasticbeanstalk.Environment", {"application": "a", "settings": [
        {"namespace": "aws:ec2:vpc", "name": "ELBScheme", "value": "internal"}]}),
    ("collections for one endpoint", "opensearch.ServerlessSecurityPolicy",
     {"type": "network", "name": "n", "policy": json.dumps([{"AllowFromPublic": False, "SourceVPCEs": ["vpce-1"], "Rules": []}])}),
)  # fmt: skip
safe_rows(
    Kind.ADDRESS,
    (
        "a web port of an instance",
        "lightsail.InstancePublicPorts",
        {"portInfos": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrs": ["0.0.0.0/0"]}]},
    ),
    ("workstations for one office", "workspaces.IpGroup", {"rules": [{"source": "198.51.100.0/24"}]}),
)
