"""Access Analyzer finds no policy that grants public access, and no network path that a scope forbids exists."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps

from preflight.account.lines import CannotTellError, Group, Line, joined
from preflight.account.parts import AbsentError
from preflight.account.session import RefusedError
from preflight.verify.context import Part, VerifyContext
from preflight.verify.reading import mapped

BUCKET, BUCKET_POLICY = "aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy"
KEY_ALIAS = "aws:kms/alias:Alias"
TOPIC = "aws:sns/topic:Topic"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type)
ROLE = "aws:iam/role:Role"
BUCKETS = r"s3:::"
SCOPE = (
    "create a Network Access Scope that forbids paths from an internet gateway to the private subnets, with the stack's "
    "environment tag, and analyze it: aws ec2 create-network-insights-access-scope, then "
    "aws ec2 start-network-insights-access-scope-analysis"
)


def _evaluated(context: VerifyContext, group: Group, subject: str, kind: str, document: str) -> Line:
    """Access Analyzer's result for one policy (CheckNoPublicAccess)."""
    try:
        answer = context.account.ask(
            "accessanalyzer", "check_no_public_access", policyDocument=document, resourceType=kind
        )
    except CannotTellError as error:
        return group.cannot_tell(subject, error.reason, error.fix)
    except RefusedError as error:
        return group.cannot_tell(subject, str(error), "check whether Access Analyzer offers this API in the region")
    passed = answer.get("result") == "PASS"
    reasons = joined(str(one.get("description")) for one in answer.get("reasons", []))
    found = "no public access" if passed else f"public access: {reasons}"
    return group.holds(
        subject, passed, found, "remove the statement and find out who added it: run pulumi refresh, then pulumi up"
    )


def buckets(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Each bucket blocks public access, and its policy grants none."""
    with_policy = {context.recorded(BUCKET, str(i["bucket"])) for i in context.stack.inputs(BUCKET_POLICY)}
    for logical, name in context.live(BUCKET, BUCKETS):
        if not name:
            yield group.missing(f"bucket {logical}", "is not in the account", "pulumi up")
            continue
        blocked = context.account.find(
            "s3", "get_public_access_block", ("NoSuchPublicAccessBlockConfiguration",), Bucket=name
        )
        settings = mapped((blocked or {}).get("PublicAccessBlockConfiguration"))
        off = sorted(key for key, value in settings.items() if not value)
        found = f"off: {joined(off)}" if settings else "no public access is blocked"
        right = bool(settings) and not off
        yield group.holds(
            f"public access block of {logical}", right, "all four settings are enabled" if right else found, "pulumi up"
        )
        policy = context.account.find("s3", "get_bucket_policy", ("NoSuchBucketPolicy",), Bucket=name)
        if policy is not None:
            yield _evaluated(context, group, f"policy of bucket {logical}", "AWS::S3::Bucket", policy["Policy"])
        elif logical in with_policy:
            yield group.missing(f"policy of bucket {logical}", "there is no bucket policy", "pulumi up")


def keys(context: VerifyContext, group: Group) -> Iterator[Line]:
    """No key's policy grants public access; keys are found by their aliases."""
    for alias in context.named(KEY_ALIAS):
        found = context.account.find("kms", "describe_key", ("NotFoundException",), KeyId=alias)
        if found is None:
            yield group.missing(f"key {alias}", "is not in the account", "pulumi up")
            continue
        key = found["KeyMetadata"]["KeyId"]
        policy = context.account.ask("kms", "get_key_policy", KeyId=key, PolicyName="default")["Policy"]
        yield _evaluated(context, group, f"policy of key {alias}", "AWS::KMS::Key", policy)


def topics(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The policy of the alarm topic grants no public access."""
    for logical, name in context.live(TOPIC, r"sns:[^:]+:\d+:"):
        if not name:
            raise AbsentError(f"the topic {logical}")
        attributes = context.account.ask("sns", "get_topic_attributes", TopicArn=context.live_arn(name))["Attributes"]
        yield _evaluated(context, group, f"policy of topic {logical}", "AWS::SNS::Topic", attributes["Policy"])


def secrets(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Policies of secrets grant no public access. The stack sets none, so each was added outside of it."""
    found = context.live(SECRET, r"secretsmanager:[^:]+:\d+:secret:")
    bare: list[str] = []
    for logical, name in found:
        if not name:
            yield group.missing(f"secret {logical}", "is not in the account", "pulumi up")
            continue
        answer = context.account.ask("secretsmanager", "get_resource_policy", SecretId=name)
        if answer.get("ResourcePolicy"):
            document = str(answer["ResourcePolicy"])
            yield _evaluated(context, group, f"policy of secret {logical}", "AWS::SecretsManager::Secret", document)
        else:
            bare.append(logical)
    if bare:
        yield group.ok("secrets without a policy", joined(bare))


def roles(context: VerifyContext, group: Group) -> Iterator[Line]:
    """No trust policy of a role below the stack's path grants public access."""
    paths = sorted({str(inputs["path"]) for inputs in context.stack.inputs(ROLE)})
    found = [role for path in paths for role in context.account.every("iam", "list_roles", "Roles", PathPrefix=path)]
    names = sorted(str(role["RoleName"]) for role in found)
    for resource in context.stack.resources(ROLE):
        if not any(name.startswith(f"{resource.name}-") for name in names):
            yield group.missing(f"role {resource.name}", "is not in the account", "pulumi up")
    for role in sorted(found, key=lambda role: str(role["RoleName"])):
        document = role["AssumeRolePolicyDocument"]
        text = document if isinstance(document, str) else dumps(document)
        yield _evaluated(
            context, group, f"trust of role {role['RoleName']}", "AWS::IAM::AssumeRolePolicyDocument", text
        )


def network(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Network Access Analyzer's findings, if there is a scope for the stack."""
    filters = [{"Name": "tag:environment", "Values": [context.stack.name]}]
    key = "NetworkInsightsAccessScopes"
    scopes = context.account.every("ec2", "describe_network_insights_access_scopes", key, Filters=filters)
    if not scopes:
        yield group.cannot_tell(
            "network access", f"no Network Access Scope has environment={context.stack.name}", SCOPE
        )
    for scope in sorted(str(one["NetworkInsightsAccessScopeId"]) for one in scopes):
        analyses = context.account.every(
            "ec2",
            "describe_network_insights_access_scope_analyses",
            "NetworkInsightsAccessScopeAnalyses",
            NetworkInsightsAccessScopeId=scope,
        )
        done = [one for one in analyses if one.get("Status") == "succeeded"]
        latest = max(done, key=lambda one: one["StartDate"], default=None)
        subject = f"network access by {scope}"
        if latest is None or latest.get("FindingsFound") not in ("true", "false"):
            fix = f"aws ec2 start-network-insights-access-scope-analysis --network-insights-access-scope-id {scope}"
            yield group.cannot_tell(subject, "it has not been analyzed", fix)
            continue
        fix = "aws ec2 get-network-insights-access-scope-analysis-findings shows the paths; close them"
        bad = latest["FindingsFound"] == "true"
        yield group.holds(subject, not bad, "forbidden paths exist" if bad else "no finding", fix)


PART = Part(
    "exposure",
    (
        ("buckets", buckets),
        ("keys", keys),
        ("topics", topics),
        ("secrets", secrets),
        ("roles", roles),
        ("network access", network),
    ),
)
