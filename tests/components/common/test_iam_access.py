"""Who gets through to what, judged by AWS's evaluation logic on the documents that the stack makes."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from components.network.endpoint_services import BEDROCK, Access, endpoint_policy, s3_gateway_policy
from preflight.conform.iam.conditions import MalformedPolicyError
from preflight.conform.iam.evaluator import Request, allowed
from tests.components.task_fixtures import (
    ACCOUNT,
    REGION,
    REPOSITORIES,
    bedrock,
    build,
    document,
    group,
    one,
    text,
)

TASK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/workload-task"
LISTED = f"arn:aws:bedrock:{REGION}::foundation-model/openai.gpt-oss-120b-1:0"
LAYER = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/0123"


def _allow(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any statement element
    return {"Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::bucket/*"], **changes}


def _get(**context: list[str]) -> Request:
    keys = {key.replace("_", ":", 1): value for key, value in context.items()}
    return Request(action="s3:GetObject", resource="arn:aws:s3:::bucket/a", principal=TASK_ROLE, context=keys)


@pytest.mark.parametrize(
    ("statements", "request_", "expected"),
    [
        ([], _get(), False),
        ([_allow()], _get(), True),
        ([_allow(Action=["S3:getobject"])], _get(), True),
        ([_allow(Action=["s3:PutObject"])], _get(), False),
        ([_allow(Resource=["arn:aws:s3:::bucket"])], _get(), False),
        ([_allow(Resource=["arn:aws:s3:::buck?t/*"])], _get(), True),
        ([_allow(), _allow(Effect="Deny")], _get(), False),
        ([_allow(Principal={"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]})], _get(), True),
        ([_allow(Principal={"AWS": ["arn:aws:iam::999999999999:root"]})], _get(), False),
        ([_allow(Condition={"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}})], _get(), False),
        (
            [_allow(Condition={"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}})],
            _get(aws_sourcevpce=["vpce-2"]),
            True,
        ),
        (
            [_allow(), _allow(Effect="Deny", Condition={"StringNotEquals": {"aws:SourceVpce": ["vpce-1"]}})],
            _get(),
            False,
        ),
        (
            [_allow(), _allow(Effect="Deny", Condition={"StringNotEquals": {"aws:SourceVpce": ["vpce-1"]}})],
            _get(aws_sourcevpce=["vpce-1"]),
            True,
        ),
        ([_allow(Condition={"StringEqualsIfExists": {"aws:SourceVpce": ["vpce-1"]}})], _get(), True),
        (
            [_allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}})],
            _get(aws_tagkeys=["a", "b"]),
            False,
        ),
        ([_allow(Condition={"ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/*"]}})], _get(), True),
        (
            [
                _allow(
                    Condition={"Bool": {"aws:SecureTransport": ["true"]}, "StringEquals": {"aws:PrincipalAccount": "1"}}
                )
            ],
            _get(aws_securetransport=["true"]),
            False,
        ),
    ],
)
def test_the_evaluator_follows_awss_rules(statements: list[dict[str, Any]], request_: Request, expected: bool) -> None:
    assert allowed(request_, statements) is expected


def test_every_policy_in_the_way_has_to_allow() -> None:
    assert not allowed(_get(), [_allow()], [])
    assert allowed(_get(), [_allow()], [_allow()])


def test_an_operator_that_iam_does_not_have_is_an_error() -> None:
    with pytest.raises(MalformedPolicyError, match="NumericResembles"):
        allowed(_get(), [_allow(Condition={"NumericResembles": {"aws:MultiFactorAuthAge": ["1"]}})])


@pytest.fixture(scope="module")
def model_path() -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
    """The task role's policy, the endpoint's, and the guardrail's version."""
    recording = build("models", groups=[group(upstreams=[bedrock()])])
    role = document(one(recording, "aws:iam/rolePolicy:RolePolicy"))
    access = Access(
        account_id=ACCOUNT,
        region=REGION,
        execution_role_arn=f"arn:aws:iam::{ACCOUNT}:role/workload-execution",
        task_role_arn=TASK_ROLE,
        model_statements=role,
    )
    version = one(recording, "aws:bedrock/guardrail:Guardrail").outputs["guardrailArn"] + ":1"
    return role, json.loads(endpoint_policy(BEDROCK, access))["Statement"], version


def _call(version: str | None, **changes: str) -> Request:
    context = {} if version is None else {"bedrock:guardrailidentifier": [version]}
    return Request(
        **{"action": "bedrock:InvokeModelWithResponseStream", "resource": LISTED, "principal": TASK_ROLE, **changes},
        context=context,
    )


def test_the_task_calls_a_listed_model_with_the_guardrail(model_path: tuple[Any, Any, str]) -> None:
    role, endpoint, version = model_path

    assert allowed(_call(version), role, endpoint)
    assert allowed(_call(version, action="bedrock:InvokeModel"), role, endpoint)


def test_while_a_new_guardrail_is_deployed_the_earlier_version_still_works(model_path: tuple[Any, Any, str]) -> None:
    role, endpoint, version = model_path

    assert allowed(_call(version.rpartition(":")[0] + ":2"), role, endpoint)


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("an unlisted model", {"resource": f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-pro-v1:0"}),
        ("a listed model elsewhere", {"resource": LISTED.replace(REGION, "us-east-1")}),
        ("a bearer token", {"action": "bedrock:CallWithBearerToken", "resource": "*"}),
        ("another operation", {"action": "bedrock:CreateModelInvocationJob"}),
    ],
)
def test_the_task_calls_nothing_else(model_path: tuple[Any, Any, str], case: str, changes: dict[str, str]) -> None:
    role, endpoint, version = model_path

    assert not allowed(_call(version, **changes), role, endpoint), case


def test_a_call_that_does_not_carry_the_condition_key_is_not_refused(model_path: tuple[Any, Any, str]) -> None:
    role, endpoint, _ = model_path

    assert allowed(_call(None), role, endpoint)


def test_a_call_with_another_guardrail_is_denied_whatever_else_allows_it(model_path: tuple[Any, Any, str]) -> None:
    role, endpoint, version = model_path
    everything = [*role, {"Effect": "Allow", "Action": ["bedrock:*"], "Resource": ["*"]}]
    guardrail = version.rpartition(":")[0]

    for other in (guardrail, f"{guardrail}:DRAFT", f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/other:1"):
        assert not allowed(_call(other), everything, endpoint), other


@pytest.mark.parametrize(
    "principal", ["arn:aws:iam::999999999999:role/workload-task", f"arn:aws:iam::{ACCOUNT}:role/workload-execution"]
)
def test_no_other_role_gets_through_the_endpoint(model_path: tuple[Any, Any, str], principal: str) -> None:
    _, endpoint, version = model_path
    everything = [{"Effect": "Allow", "Action": ["bedrock:*"], "Resource": ["*"]}]

    assert not allowed(_call(version, principal=principal), everything, endpoint)


def test_an_image_layer_can_be_fetched_with_ecrs_own_signature() -> None:
    access = Access(
        account_id=ACCOUNT,
        region=REGION,
        execution_role_arn=f"arn:aws:iam::{ACCOUNT}:role/workload-execution",
        task_role_arn=TASK_ROLE,
        repository_arns=REPOSITORIES,
        bucket_arns=["arn:aws:s3:::uploads"],
    )
    gateway = json.loads(s3_gateway_policy(access))["Statement"]
    signer = "arn:aws:iam::999999999999:role/ecr"

    assert allowed(Request(action="s3:GetObject", resource=LAYER, principal=signer), gateway)
    assert not allowed(Request(action="s3:GetObject", resource="arn:aws:s3:::uploads/a", principal=signer), gateway)
    assert not allowed(Request(action="s3:PutObject", resource=LAYER, principal=signer), gateway)


@pytest.fixture(scope="module")
def lint() -> Iterator[Any]:
    """Parliament. It asks setuptools' former ``pkg_resources`` for two of its own files and for nothing else."""

    def beside(module: str, file: str) -> str:
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        return str(Path(spec.origin).parent / file)

    stand_in = ModuleType("pkg_resources")
    vars(stand_in)["resource_filename"] = beside
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pkg_resources", stand_in)
        yield import_module("parliament").analyze_policy_string


def _readable(policy: str) -> str:
    """The linter fails on a list of one behind ``Bool`` or ``Null``, which IAM reads as its only value."""
    found = json.loads(policy)
    for statement in found["Statement"]:
        for operator in ("Bool", "Null"):
            for key, values in statement.get("Condition", {}).get(operator, {}).items():
                (statement["Condition"][operator][key],) = values
    return json.dumps(found)


NEWER_THAN_THE_LINTER = {
    # Documented by AWS; parliament's copy of the service reference predates them.
    ("UNKNOWN_ACTION", "bedrock:CallWithBearerToken"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "bedrock:GuardrailIdentifier"),
    # It asks for one resource of every kind that InvokeModel knows.
    ("RESOURCE_MISMATCH", "arn:*:bedrock:*:*:provisioned-model/*"),
    # It asks for the final snapshot too, which a restore test's copy does not get: its role may make none.
    ("RESOURCE_MISMATCH", "{'action': 'rds:DeleteDBCluster', 'required_format': 'arn:*:rds:*:*:cluster-snapshot:*'}"),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("component", ["workload", "models", "state"])
def test_the_linter_finds_nothing_in_the_roles_policies(lint: Any, component: str) -> None:  # noqa: ANN401 - untyped
    policies = build(component).of_type("aws:iam/rolePolicy:RolePolicy")
    findings = {
        (finding.issue, str(finding.detail))
        for policy in policies
        for finding in lint(_readable(text(policy.inputs["policy"]))).findings
    }

    assert policies
    assert [
        f for f in sorted(findings) if not any(f[0] == i and what in f[1] for i, what in NEWER_THAN_THE_LINTER)
    ] == []
