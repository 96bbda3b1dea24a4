"""A stack that offers other models of Bedrock than its release lists: the documents that the components make for them, in
the recording of a real stack."""

from __future__ import annotations

import json

from components.common.iam import policy_document, render
from components.models import ModelGroupArgs
from components.models.iam_documents import task_statements
from components.network.endpoint_services import BEDROCK, Access, endpoint_policy
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap
from settings import StackSettings
from tests.components.task_fixtures import bedrock, group
from tests.preflight.conform.editing import edited, in_container, with_text, with_value

TASK = "aws:ecs/taskDefinition:TaskDefinition"


def offering(recording: Recording, settings: StackSettings, models: dict[str, str], *destinations: str) -> Recording:
    """The recording with other models in place of those that the stack offers: old id → new id of each."""
    region, account = settings.region, settings.account_id
    declared = group(models=sorted(models.values()), upstreams=[bedrock(region, *destinations)])
    guardrails = {region: recording.of_type("aws:bedrock/guardrail:Guardrail")[0].outputs["guardrailArn"]}
    statements = task_statements([ModelGroupArgs.model_validate(declared)], guardrails, account)
    (task,) = recording.of_type(TASK)
    access = Access(
        account_id=account,
        region=region,
        execution_role_arn=unwrap(task.inputs["executionRoleArn"]),
        task_role_arn=unwrap(task.inputs["taskRoleArn"]),
        model_statements=[render(one) for one in statements],
    )
    endpoint = ("aws:ec2/vpcEndpoint:VpcEndpoint", f"endpoints-{BEDROCK}-{region}")
    recording = edited(recording, *endpoint, with_value("policy", endpoint_policy(BEDROCK, access)))
    policy = ("aws:iam/rolePolicy:RolePolicy", "models-task-policy")
    recording = edited(recording, *policy, with_value("policy", policy_document(statements)))
    for old, new in models.items():
        edit = with_text(_quoted(old), _quoted(new), "command")
        recording = edited(recording, TASK, task.name, in_container("proxy", edit))
    return recording


def _quoted(model: str) -> str:
    """A model's id as the list of models has it, inside the proxy's configuration, inside JSON."""
    return json.dumps(f'"{model}"')[1:-1]
