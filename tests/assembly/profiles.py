"""A stack that offers other models of Bedrock than its release lists: the documents that the components make for them, in
the recording of a real stack."""

from __future__ import annotations

import json
from collections.abc import Iterable

from components.common.iam import Statement, policy_document, render
from components.models import ModelGroupArgs
from components.models.iam_documents import CHAT, task_statements
from components.network.endpoint_services import BEDROCK, Access, endpoint_policy
from components.synthetic.settings import NAME, PROXY
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap
from settings import StackSettings
from tests.components.task_fixtures import bedrock, group
from tests.preflight.conform.editing import edited, in_container, with_text, with_value
from tests.tasks import interface_task, task_with

TASK = "aws:ecs/taskDefinition:TaskDefinition"


def offering(recording: Recording, settings: StackSettings, models: dict[str, str], *destinations: str) -> Recording:
    """The recording with other models in place of those that the stack offers: old id → new id of each. The synthetic chat
    asks the first of each group."""
    region, account = settings.region, settings.account_id
    guardrails = {region: recording.of_type("aws:bedrock/guardrail:Guardrail")[0].outputs["guardrailArn"]}

    def statements(offered: Iterable[str]) -> list[Statement]:
        declared = group(models=sorted(offered), upstreams=[bedrock(region, *destinations)])
        return task_statements([ModelGroupArgs.model_validate(declared)], guardrails, account)

    asked = {one.models[0] for one in settings.models.groups if CHAT in one.serves}
    own, of_chat = statements(models.values()), statements(models[one] for one in asked)
    task, chat = interface_task(recording), task_with(recording, NAME)
    access = Access(
        account_id=account,
        region=region,
        execution_role_arn=unwrap(task.inputs["executionRoleArn"]),
        task_role_arn=unwrap(task.inputs["taskRoleArn"]),
        model_statements=[render(one) for one in own],
        synthetic_execution_role_arn=unwrap(chat.inputs["executionRoleArn"]),
        synthetic_task_role_arn=unwrap(chat.inputs["taskRoleArn"]),
        synthetic_model_statements=[render(one) for one in of_chat],
    )
    endpoint = ("aws:ec2/vpcEndpoint:VpcEndpoint", f"endpoints-{BEDROCK}-{region}")
    recording = edited(recording, *endpoint, with_value("policy", endpoint_policy(BEDROCK, access)))
    for name, granted in (("models-task-policy", own), ("models-synthetic-policy", of_chat)):
        policy = ("aws:iam/rolePolicy:RolePolicy", name)
        recording = edited(recording, *policy, with_value("policy", policy_document(granted)))
    for old, new in models.items():
        edit = with_text(_quoted(old), _quoted(new), "command")
        recording = edited(recording, TASK, task.name, in_container("proxy", edit))
    for old in asked:
        for container, place in ((PROXY, "command"), (NAME, "environment")):
            edit = with_text(_quoted(old), _quoted(models[old]), place)
            recording = edited(recording, TASK, chat.name, in_container(container, edit))
    return recording


def _quoted(model: str) -> str:
    """A model's id as the list of models and the synthetic chat's plan have it, inside a property with JSON."""
    return json.dumps(f'"{model}"')[1:-1]
