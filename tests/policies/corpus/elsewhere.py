"""Types that nothing evaluates, other providers, templates and commands, and settings of the provider and of names."""

from __future__ import annotations

import json

from tests.policies.corpus.documents import AUD, OURS, by_github
from tests.policies.corpus.planting import NAMED, Kind, planted, rows, safe, safe_rows
from tests.topology.builders import Ref, Stack

INSIDE, AWS = "iam-documents-elsewhere-are-narrow", "stack-requests-reach-aws"
OPEN = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}

rows(
    Kind.WORLD,
    NAMED,
    ("a public site", "amplify.App", {"name": "site"}),
    ("a database with a public endpoint", "dsql.Cluster", {}),
    ("an entry for people", "ec2clientvpn.Endpoint", {"clientCidrBlock": "10.9.0.0/16"}),
    ("a key of a stranger", "transfer.SshKey", {"serverId": "s-1", "userName": "u", "body": "ssh-ed25519 AAAA"}),
    ("a foreign certificate authority", "rolesanywhere.TrustAnchor", {"name": "x"}),
    ("rights in a cluster", "eks.AccessPolicyAssociation", {"clusterName": "c", "policyArn": "arn:aws:eks::aws:cluster-access-policy/A"}),
    ("rights in the organization", "ssoadmin.AccountAssignment", {"principalId": "g", "targetId": OURS}),
    ("a function that is run", "lambda.Invocation", {"functionName": "f", "input": "{}"}),
    ("a builder that everyone's commits start", "codebuild.Webhook", {"projectName": "p"}),
    ("a zone for the network of another account", "route53.VpcAssociationAuthorization", {"vpcId": "vpc-1", "zoneId": "Z1"}),
    ("a share beyond the organization", "ram.ResourceShare", {"name": "s", "allowExternalPrincipals": True}),
    ("a type that is newer than the table", "aws:future/thing:Thing", {"policy": "{}"}),
    level="advisory",
)  # fmt: skip
rows(
    Kind.WORLD,
    "vpc-joined-networks-are-named",
    ("a tunnel", "ec2.VpnConnection", {"type": "ipsec.1"}),
    level="advisory",
)
rows(
    Kind.WORLD,
    "reachability-internet-paths-authenticate",
    ("a mail server", "mailmanager.IngressPoint", {"type": "OPEN"}),
)
rows(
    Kind.OTHER,
    NAMED,
    ("a command", "command:local:Command", {"create": "aws s3api put-bucket-acl --acl public-read --bucket b"}),
    ("a command elsewhere", "command:remote:Command", {"create": "true"}),
    ("a dynamic resource", "pulumi-nodejs:dynamic:Resource", {"__provider": "…"}),
    ("a dynamic resource with a harmless name", "pulumi-python:dynamic/random:Name", {"__provider": "…"}),
    ("a load balancer of a cluster", "kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}}),
    ("a port on every node", "kubernetes:core/v1:Service", {"spec": {"type": "NodePort"}}),
    ("an ingress", "kubernetes:networking.k8s.io/v1:Ingress", {"spec": {}}),
    ("a gateway", "kubernetes:gateway.networking.k8s.io/v1:Gateway", {"spec": {"listeners": []}}),
    ("a chart", "kubernetes:helm.sh/v3:Release", {"chart": "nginx"}),
    ("a pod in the node's network", "kubernetes:apps/v1:DaemonSet", {"spec": {"template": {"spec": {"hostNetwork": True}}}}),
    ("rights in a cluster", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", {"roleRef": {"name": "cluster-admin"}}),
    ("a port of a node", "kubernetes:apps/v1:Deployment",
     {"spec": {"template": {"spec": {"containers": [{"ports": [{"hostPort": 80}]}]}}}}),
    ("a resource of the cluster's own kind", "kubernetes:traefik.io/v1alpha1:IngressRoute", {"spec": {}}),
    ("a component whose resources are elsewhere", "awsx:lb:ApplicationLoadBalancer", {"internal": False}),
    ("a bridged provider", "cloudflare:index/record:Record", {"name": "chat", "proxied": False}),
    ("a parameterized provider", "auth0:index/client:Client", {"name": "chat"}),
    ("a native queue policy", "aws-native:sqs:QueueInlinePolicy", {"policyDocument": {}, "queue": "q"}),
    level="advisory",
)  # fmt: skip
rows(
    Kind.OTHER,
    INSIDE,
    ("a native bucket policy for everyone", "aws-native:s3:BucketPolicy", {"bucket": "b", "policyDocument": OPEN}),
    ("a native database on the internet", "aws-native:rds:DbInstance", {"publiclyAccessible": True}),
    ("a native group for everyone", "aws-native:ec2:SecurityGroup",
     {"securityGroupIngress": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"}]}),
    ("a template with a queue for everyone", "cloudformation.Stack", {"templateBody": json.dumps(
        {"Resources": {"P": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": OPEN}}}})}),
    ("a template with a public database", "cloudformation.Stack", {"templateBody": json.dumps(
        {"Resources": {"D": {"Type": "AWS::RDS::DBInstance", "Properties": {"PubliclyAccessible": True}}}})}),
    ("a template in YAML with an open group", "cloudformation.StackSet", {"templateBody":
        "Resources:\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n"
        "        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}\n"}),
    ("a template in YAML with short functions", "cloudformation.Stack", {"templateBody":
        "Resources:\n  P:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: !Ref B\n      PolicyDocument:\n        Statement:\n"
        "          - {Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: !Sub '${B.Arn}/*'}\n"}),
    ("a template with an administrator", "cloudformation.Stack", {"templateBody": json.dumps({"Resources": {"R": {
        "Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}}}})}),
    ("a native role for workflows of everyone", "aws-native:iam:Role",
     {"assumeRolePolicyDocument": json.loads(by_github(StringEquals=AUD)["assumeRolePolicy"])}),
    ("a described bucket policy for everyone", "cloudcontrol.Resource",
     {"typeName": "AWS::S3::BucketPolicy", "desiredState": json.dumps({"Bucket": "b", "PolicyDocument": OPEN})}),
)  # fmt: skip
rows(
    Kind.PROVIDER,
    AWS,
    (
        "requests to another host",
        "pulumi:providers:aws",
        {"region": "eu-west-1", "endpoints": json.dumps([{"sts": "https://sts.evil.example"}])},
    ),
    ("certificates that no one verifies", "pulumi:providers:aws", {"region": "eu-west-1", "insecure": "true"}),
)


@planted(Kind.PROVIDER, AWS)
def a_private_zone_over_a_domain_of_aws(stack: Stack) -> None:
    stack.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    stack.add("route53.Zone", "zone", name="secretsmanager.eu-west-1.amazonaws.com", vpcs=[{"vpcId": Ref("vpc")}])
    stack.add("route53.Record", "answer", zoneId=Ref("zone"), name="secretsmanager.eu-west-1.amazonaws.com", type="A",
              records=["10.0.0.66"], ttl=60)  # fmt: skip


@safe(Kind.PROVIDER)
def a_private_zone_for_an_endpoint(stack: Stack) -> None:
    stack.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    stack.add("ec2.RouteTable", "table", vpcId=Ref("vpc"))
    stack.add("ec2.Subnet", "private", vpcId=Ref("vpc"), cidrBlock="10.0.0.0/24")
    stack.add("ec2.RouteTableAssociation", "at", subnetId=Ref("private"), routeTableId=Ref("table"))
    stack.add("ec2.SecurityGroup", "inner", vpcId=Ref("vpc"))
    stack.add("ec2.VpcEndpoint", "endpoint", vpcId=Ref("vpc"), vpcEndpointType="Interface", subnetIds=[Ref("private")],
              securityGroupIds=[Ref("inner")], serviceName="com.amazonaws.eu-west-1.ssm")  # fmt: skip
    stack.add("route53.Zone", "zone", name="ssm.eu-west-1.amazonaws.com", vpcs=[{"vpcId": Ref("vpc")}])
    alias = {
        "name": Ref("endpoint", form="{}.ssm.eu-west-1.vpce.amazonaws.com"),
        "zoneId": "Z1",
        "evaluateTargetHealth": False,
    }
    stack.add(
        "route53.Record", "alias", zoneId=Ref("zone"), name="ssm.eu-west-1.amazonaws.com", type="A", aliases=[alias]
    )


safe_rows(
    Kind.OTHER,
    ("a native log group", "aws-native:logs:LogGroup", {"logGroupName": "app", "retentionInDays": 30}),
    (
        "a native group for the network",
        "aws-native:ec2:SecurityGroup",
        {"securityGroupIngress": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8"}]},
    ),
    ("a random name", "random:index/randomId:RandomId", {"byteLength": 4}),
    (
        "a deployment inside a cluster",
        "kubernetes:apps/v1:Deployment",
        {"spec": {"template": {"spec": {"containers": []}}}},
    ),
    (
        "an internal load balancer of a cluster",
        "kubernetes:core/v1:Service",
        {
            "spec": {"type": "LoadBalancer"},
            "metadata": {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}},
        },
    ),
    ("a service inside a cluster", "kubernetes:core/v1:Service", {"spec": {"type": "ClusterIP"}}),
)
safe_rows(
    Kind.PROVIDER,
    (
        "a regional endpoint of AWS",
        "pulumi:providers:aws",
        {"region": "eu-west-1", "endpoints": json.dumps([{"s3": "https://s3.eu-west-1.amazonaws.com"}])},
    ),
)
