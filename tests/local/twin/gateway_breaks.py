"""One value of a stack with the gateway put wrong: what the first question to a model behind it would meet."""

from __future__ import annotations

from components.gateway.settings import PORT, SERVICE
from local.stack import Stack
from local.task.services import others, task_definition
from local.twin import Twin
from local.visitor import Visitor
from tests.local.twin.breaks import PERMISSIONS, POLICY, REACH, Break, without_action
from tests.local.twin.gateway import CONVERSE, GROUPS

STREAM = "bedrock:InvokeModelWithResponseStream"
SIGNED, SELF_SIGNED = "tls:index/locallySignedCert:LocallySignedCert", "tls:index/selfSignedCert:SelfSignedCert"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def _ask(twin: Twin) -> object:
    return Visitor(twin, twin.people.member.subject).log_in().answer("is anybody there?", model=GROUPS[CONVERSE])


def _role(stack: Stack) -> Stack:
    (service,) = others(stack)
    role = stack.by_arn(str(task_definition(stack, service)["taskRoleArn"]))["name"]
    (policy,) = [one for one in stack.where(POLICY, role=role) if f'"{STREAM}"' in str(one["policy"])]
    return without_action(stack, policy, STREAM)


def _authority(stack: Stack) -> Stack:
    """The client's certificate of the authority that signs the load balancer's targets."""
    (client,) = [one for one in stack.all(SIGNED) if "client_auth" in one["allowedUses"]]
    (other,) = [one for one in stack.all(SELF_SIGNED) if one["certPem"] != client["caCertPem"]]
    return stack.changed(client, caPrivateKeyPem=other["privateKeyPem"], caCertPem=other["certPem"])


def _port(stack: Stack) -> Stack:
    """In the rule of each caller: the interface, and the synthetic chat."""
    (service,) = others(stack)
    (group,) = service["networkConfiguration"]["securityGroups"]
    rules = stack.where(INGRESS, securityGroupId=group)
    assert len(rules) == 2
    for rule in rules:
        stack = stack.changed(rule, fromPort=rule["fromPort"] + 1, toPort=rule["toPort"] + 1)
    return stack


BREAKS = (
    Break(
        "the gateway's role without the model's action",
        _role,
        rf"{STREAM} on \S+: no statement of role \S*gateway\S* policies allows it",
        (PERMISSIONS,),
        _ask,
    ),
    Break(
        "the client certificate of another authority",
        _authority,
        rf"tls: service-\S+ \(proxy\) → {SERVICE}\S+ \(\S+:{PORT}\): the server refused the certificate in "
        r"GATEWAY_CLIENT_CERTIFICATE, issued by \S+.*UNKNOWN_CA",
        (),
        _ask,
    ),
    Break(
        "another port in the gateway's security group",
        _port,
        rf"network: service-\S+ → {SERVICE}-service-\S+ port {PORT}: no ingress rule of gateway-group allows it",
        (REACH, "reachability-connected-parts-can-connect", "vpc-network-acl-entries-are-used"),
        _ask,
    ),
)
