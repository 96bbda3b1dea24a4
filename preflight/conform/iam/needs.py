"""The IAM requests that a deployment makes: every resource's create, read, update, tag and delete, with their contexts.

The actions are CloudFormation's handler permissions (``handlers``) and the provider's calls (``calls.tsv``) with the
dependent actions of AWS's Service Authorization Reference (``reference``), except those that ``unneeded.tsv`` excludes
with a reason. Actions on a key or a role are needed only if the resource refers to one.

One action can be several requests, and each has to be allowed:

- a change of tags sends only the changed keys, and a removal only the removed ones (the provider compares them:
  https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/tags/key_value_tags.go), so every tag except
  the two that identify the owner (``FIXED``) is changed and removed separately;
- AWS does not guarantee that a new resource's tags are effective at once. For KMS, changes of tags may take minutes
  (https://docs.aws.amazon.com/kms/latest/developerguide/abac.html), and other services have refused a provider's first
  calls for this reason (hashicorp/terraform-provider-aws#6055, #32966). So for a create, every call is checked twice: with
  and without the new tags.

A condition key that the reference does not list for an action is never in a request's context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from preflight.conform.iam import handlers, reference, tables
from preflight.conform.iam.graph import Graph, named, tags
from preflight.recording.recorder import STACK_TYPE, RecordedResource

FIXED = ("environment", "project")
"""The tags that identify a resource's project and environment. No deployment changes them."""
GLOBAL = frozenset({"budgets", "iam", "route53"})
"""Services whose only endpoint is in us-east-1 (https://docs.aws.amazon.com/general/latest/gr/rande.html#global-endpoints)."""
LINKED = {
    "application-autoscaling": "ecs.application-autoscaling.amazonaws.com",
    "backup": "backup.amazonaws.com",
    "chatbot": "management.chatbot.amazonaws.com",
    "ecs": "ecs.amazonaws.com",
    "elasticache": "elasticache.amazonaws.com",
    "elasticloadbalancing": "elasticloadbalancing.amazonaws.com",
    "rds": "rds.amazonaws.com",
    "route53resolver": "route53resolver.amazonaws.com",
    "wafv2": "wafv2.amazonaws.com",
}
"""IAM prefix → the service whose linked role AWS creates with the first resource of a type
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html)."""
PREFIXES = {
    "appautoscaling": "application-autoscaling",
    "lb": "elasticloadbalancing",
    "vpc": "ec2",
}
"""Pulumi module → IAM prefix of the service, where they differ."""

Context = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Need:
    """One request that has to be allowed."""

    resource: RecordedResource
    operation: str
    """``create``, ``read``, ``update``, ``tag`` or ``delete``."""
    action: str
    arn: str
    context: Context
    situation: str
    """The special case that this request covers; empty if none."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type or an action that no table covers."""

    resource: RecordedResource
    action: str
    """The action; empty: the whole type."""


ON_EVERYTHING: Mapping[str, tuple[str, ...]] = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm"),
}
"""Type → the actions that AWS allows for it only where a policy names ``*``, although IAM knows a resource for them: with a
narrower one CloudWatch makes no composite alarm and describes none, without an error
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html, API_PutCompositeAlarm.html)."""


def of_resource(resource: RecordedResource, graph: Graph) -> Iterator[Need | Unknown]:
    """The requests of one resource, and the actions that no table covers."""
    if not known(resource.type):
        yield Unknown(resource, "")
        return
    for operation, names in sorted(actions(resource, graph).items()):
        for name in sorted(names):
            action = reference.find(name)
            if action is None or (name == "iam:CreateServiceLinkedRole" and _prefix(resource) not in LINKED):
                yield Unknown(resource, name)
                continue
            for arn in arns(resource, action, graph):
                # Tagging a new key needs a role policy that covers any key: the new key has no policy yet
                # (https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html).
                new = operation == "create" and action.name == "kms:TagResource"
                on_any = graph.arn("kms", "key/new") if new else arn
                for situation, context in _contexts(resource, operation, action, arn, graph):
                    yield Need(resource, operation, action.name, on_any, context, situation)


def known(type_: str) -> bool:
    """Whether the tables cover a type. Only AWS resources need calls."""
    return not type_.startswith("aws:") or type_ in handlers.TYPES or type_ in handlers.PROVIDER_ONLY


def actions(resource: RecordedResource, graph: Graph) -> Mapping[str, set[str]]:
    """Operation → actions, including dependent ones."""
    inputs = frozenset(key for key, value in resource.inputs.items() if value not in (None, False))
    key = (resource.type, inputs, "tags" in resource.inputs)
    if key not in graph.actions:
        graph.actions[key] = _actions(resource.type, graph.region, inputs, tagged="tags" in resource.inputs)
    return graph.actions[key]


def _actions(pulumi_type: str, region: str, inputs: frozenset[str], *, tagged: bool) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for type_ in handlers.TYPES.get(pulumi_type, ()):
        for operation, permissions in handlers.permissions(type_, region).items():
            found.setdefault(operation, set()).update(permissions)
    called: dict[str, set[str]] = {}
    for call in tables.calls():
        if call.type == pulumi_type:
            called.setdefault(call.operation, set()).update(call.actions)
    if not tagged:
        found.pop("tag", None)
    found["read"] = {name for name in closed(found.get("read", set())) if _reads(name)}
    result: dict[str, set[str]] = {}
    for operation in sorted({*found, *called}):
        sure = called.get(operation, set())
        listed = closed(found.get(operation, set()) | sure)
        result[operation] = sure | {name for name in listed if not unneeded(pulumi_type, name, inputs)}
    if pulumi_type != STACK_TYPE:
        result.setdefault("create", set()).update(result["read"])  # the provider reads a new resource
    return {operation: names for operation, names in result.items() if names}


def _reads(name: str) -> bool:
    """Whether an action belongs to a read. Some read handlers list everything that the resource needs, even writes."""
    action = reference.find(name)
    return action is None or action.level in ("Read", "List") or name == "kms:Decrypt"


def unneeded(type_: str, action: str, inputs: frozenset[str]) -> bool:
    """Whether the reviewed table excludes the action."""
    return any(not inputs & frozenset(row.unless) for row in tables.excluding(type_, action))


def closed(names: set[str]) -> set[str]:
    """The actions in the reference's spelling, with their dependent actions."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        action = reference.find(name)
        exact = action.name if action is not None else name
        if exact in found:
            continue
        found.add(exact)
        waiting.extend(action.dependents if action is not None else ())
    return found


def arns(resource: RecordedResource, action: reference.Action, graph: Graph) -> list[str]:
    """The ARNs in the graph that an action of this resource acts on; ``*`` if the action has no resource type in IAM.

    No ARN: the resource refers to no key or role, so the action is not called for it.
    """
    if action.name in ON_EVERYTHING.get(resource.type, ()):
        return ["*"]
    service = action.name.partition(":")[0]
    own = str(resource.outputs.get("arn") or "*")
    special = _SPECIAL.get(service)
    if not action.resource_types:
        named_one = service == "kms" and resource.type != _KEY and not named(resource, graph.arn("kms", "key/"))
        return [] if named_one and action.name != "kms:ListAliases" else ["*"]
    if special is not None:
        return special(resource, action, graph)
    return [own if own.split(":")[2:3] == [service] else _filled(action, graph)]


_KEY, _ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"


def _kms(resource: RecordedResource, action: reference.Action, graph: Graph) -> list[str]:
    if resource.type == _ALIAS:
        target = graph.arn("kms", f"key/{resource.inputs['targetKeyId']}")
        both = {"alias": str(resource.outputs["arn"]), "key": target}
        return [both[kind.name] for kind in action.resource_types]
    if resource.type == _KEY:
        return [str(resource.outputs["arn"])]
    if resource.type == STACK_TYPE:
        return sorted({graph.keys[arn] for arn in _secretsmanager(resource, action, graph)})
    secret = graph.keys.get(str(resource.inputs.get("secretId")))
    return [secret] if secret else named(resource, graph.arn("kms", "key/"))


def _iam(resource: RecordedResource, action: reference.Action, graph: Graph) -> list[str]:
    if action.name == "iam:CreateServiceLinkedRole":
        service = LINKED[_prefix(resource)]
        return [f"arn:aws:iam::{graph.account}:role/aws-service-role/{service}/AWSServiceRole"]
    if resource.type == "aws:iam/role:Role":
        return [str(resource.outputs["arn"])]
    if resource.type == "aws:iam/rolePolicy:RolePolicy":
        return [graph.role(str(resource.inputs["role"]))]
    return named(resource, f"arn:aws:iam::{graph.account}:role/")


def _secretsmanager(resource: RecordedResource, _: reference.Action, graph: Graph) -> list[str]:
    if resource.type == STACK_TYPE:
        return sorted(graph.keys.keys() - {str(r.outputs.get("arn")) for r in graph.recording.resources})
    if resource.type.startswith("aws:secretsmanager/"):
        return [str(resource.inputs.get("secretId") or resource.outputs["arn"])]
    made = cast("list[dict[str, Any]]", resource.outputs.get("masterUserSecrets") or [])
    return [str(one["secretArn"]) for one in made]


def _s3(resource: RecordedResource, action: reference.Action, _: Graph) -> list[str]:
    own = str(resource.outputs.get("arn") or "")
    bucket = own if own.startswith("arn:aws:s3:::") else f"arn:aws:s3:::{resource.inputs.get('bucket', 'example')}"
    return [bucket] if {k.name for k in action.resource_types} & {"bucket"} else [f"{bucket}/*"]


def _budgets(resource: RecordedResource, _: reference.Action, __: Graph) -> list[str]:
    return [str(resource.outputs["arn"])]


def _route53(resource: RecordedResource, action: reference.Action, _: Graph) -> list[str]:
    if action.name == "route53:GetChange":
        return ["arn:aws:route53:::change/C0123456789ABCDEFGHIJ"]
    # The zone of an interface endpoint's private names belongs to AWS; its id is unknown.
    return [f"arn:aws:route53:::hostedzone/{resource.inputs.get('zoneId', 'Z0AWSOWNEDZONE0000000')}"]


def _chatbot(resource: RecordedResource, _: reference.Action, __: Graph) -> list[str]:
    return [str(resource.outputs["chatConfigurationArn"])]


_SPECIAL = {
    "budgets": _budgets,
    "chatbot": _chatbot,
    "iam": _iam,
    "kms": _kms,
    "route53": _route53,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
}
"""Services whose resources the roles' documents name individually, or that a resource uses only if it refers to one."""


def _filled(action: reference.Action, graph: Graph) -> str:
    """An ARN of the type that the action acts on, with a placeholder for the unknown part."""
    pattern = next((k.arn for k in action.resource_types if k.required), action.resource_types[0].arn)
    values = {"${Partition}": "aws", "${Region}": graph.region, "${Account}": graph.account}
    for name, value in values.items():
        pattern = pattern.replace(name, value)
    while "${" in pattern:
        head, _, tail = pattern.partition("${")
        pattern = f"{head}example{tail.partition('}')[2]}"
    return pattern


def _prefix(resource: RecordedResource) -> str:
    if resource.type == STACK_TYPE:
        return "secretsmanager"
    module, _, kind = resource.type.removeprefix("aws:").partition("/")
    if module == "cloudwatch":
        return "logs" if kind.startswith("log") else "events" if kind.startswith("event") else "cloudwatch"
    if module == "route53" and kind.startswith("resolver"):
        return "route53resolver"
    return PREFIXES.get(module, module)


def _contexts(
    resource: RecordedResource, operation: str, action: reference.Action, arn: str, graph: Graph
) -> Iterator[tuple[str, Context]]:
    """The situations in which the action is called, each with the request's context."""
    service = action.name.partition(":")[0]
    region = str(resource.inputs.get("region") or graph.region)
    base: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": ("us-east-1" if service in GLOBAL else region,),
        "aws:resourceaccount": (graph.account,),
    }
    if service == "kms" and resource.type not in (_KEY, _ALIAS) and action.level not in ("Read", "List"):
        base["kms:viaservice"] = (f"{_prefix(resource)}.{region}.amazonaws.com",)
    if action.name == "iam:CreateServiceLinkedRole":
        base["iam:awsservicename"] = (LINKED[_prefix(resource)],)
    if service == "route53" and (network := resource.inputs.get("vpc") or resource.inputs.get("vpcId")):
        base["route53:vpcs"] = (f"VPCId={network},VPCRegion={region}",)
    if service == "iam" and "permissionsBoundary" in resource.inputs:
        base["iam:permissionsboundary"] = (str(resource.inputs["permissionsBoundary"]),)
    if resource.type == "aws:iam/rolePolicy:RolePolicy":
        base["iam:permissionsboundary"] = _boundary_of(arn, graph)
    if action.name == "iam:PassRole":
        for one in graph.trusts.get(arn, ("",)):
            yield "", kept(action, {**base, "iam:passedtoservice": (one,)})
        return
    for asked, request in _requests(resource, operation, action, arn):
        for seen, on_it in _visible(operation, action, graph.tags.get(arn, {})):
            yield ", ".join(filter(None, (asked, seen))), kept(action, {**base, **request, **on_it})


def _boundary_of(role: str, graph: Graph) -> tuple[str, ...]:
    return tuple(
        str(r.inputs["permissionsBoundary"])
        for r in graph.recording.of_type("aws:iam/role:Role")
        if r.outputs.get("arn") == role and "permissionsBoundary" in r.inputs
    )


def _requests(
    resource: RecordedResource, operation: str, action: reference.Action, arn: str
) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    """The tags in the request."""
    own = tags(resource) if _is_its(resource, arn) else {}
    taggable = action.populates("aws:requesttag/") or action.populates("aws:tagkeys")
    if not own or not taggable or action.level in ("Read", "List"):
        yield "", {}
    elif removes(action) and action.level == "Tagging":
        for key in _changeable(own):
            yield f"removal of the tag {key}", {"aws:tagkeys": (key,)}
    elif action.level == "Tagging" and operation in ("tag", "update"):
        for key in _changeable(own):
            yield f"change of the tag {key} alone", tagging({key: f"{own[key]}-changed"})
    elif operation == "create":
        yield "", tagging(own)
    else:
        yield "", {}


def _is_its(resource: RecordedResource, arn: str) -> bool:
    return arn in ("*", str(resource.outputs.get("arn") or "*"))


def removes(action: reference.Action) -> bool:
    """Whether a tagging action removes tags."""
    name = action.name.partition(":")[2]
    return name.startswith(("Untag", "Remove", "Delete"))


def _changeable(own: Mapping[str, str]) -> list[str]:
    return sorted(set(own) - set(FIXED))


def tagging(values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The context of a request that sets these tags."""
    keys = {f"aws:requesttag/{key.lower()}": (value,) for key, value in sorted(values.items())}
    return {**keys, "aws:tagkeys": tuple(sorted(values))}


def on(values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The context of a request about a resource with these tags."""
    return {f"aws:resourcetag/{key.lower()}": (value,) for key, value in sorted(values.items())}


def _visible(
    operation: str, action: reference.Action, on_it: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    """The effective tags of the resource that the request is about."""
    if not on_it or not action.populates("aws:resourcetag/"):
        yield "", {}
        return
    makes = action.name.partition(":")[2].startswith("Create") and operation == "create"
    if operation == "create":
        yield "while the new resource's tags are not effective yet", {}
    if not makes or action.name in ("kms:CreateAlias", "kms:CreateGrant"):
        yield "", on(on_it)


def kept(action: reference.Action, context: Mapping[str, tuple[str, ...]]) -> Context:
    """Keep only the condition keys that AWS populates for this action."""
    return tuple(sorted((key, values) for key, values in context.items() if action.populates(key)))
