"""Arguments and readers that the tests of operations, workload, models and compute share."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pulumi

from components.applications import ApplicationArgs, Deployment
from components.applications.application import SchemaArgs
from components.applications.presets.open_webui import PRESET
from components.data import Data, DataArgs, UploadsAccess, UploadsAccessArgs
from components.models import ModelAccess, ModelAccessArgs, PromptRecording, PromptRecordingArgs
from components.monitoring import (
    DataAlarms,
    DataAlarmsArgs,
    EdgeAlarms,
    EdgeAlarmsArgs,
    ModelAlarms,
    ModelAlarmsArgs,
    Operations,
    OperationsArgs,
    ServiceAlarms,
    ServiceAlarmsArgs,
)
from components.service import InterfaceService, InterfaceServiceArgs, WorkloadIdentity, WorkloadIdentityArgs
from components.service.task_identity import SECRETS
from preflight.recording.recorder import RecordedResource, Recording, record

ACCOUNT, REGION = "111122223333", "eu-west-1"
TAGS = {"owner": "ai-platform", "environment": "test", "project": "ai-interface"}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:operations-alarms"
TICKETS = f"arn:aws:sns:{REGION}:{ACCOUNT}:operations-tickets"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ai-interface"
DIGEST = "sha256:" + "0123456789abcdef" * 4
REPOSITORIES = [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ai-interface/{name}" for name in ("interface", "proxy")]
LOG_GROUPS = {name: f"/ai-interface/test/{name}" for name in ("interface", "prepare", "proxy")}
LOG_GROUP_ARNS = {name: f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}" for name, group in LOG_GROUPS.items()}
SECRET_REFERENCES = {
    name: f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf:::11111111-2222-3333-4444-555555555555"
    for name in SECRETS
}
SCHEMAS = [
    SchemaArgs(release="2026.10.1", revision="1111"),
    SchemaArgs(release="2026.11.1", revision="2222", compatible_with=["2026.10.1"]),
]
STATE_VALUES = {
    "bucket-name": "uploads-0123456789",
    "database-host": "database.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com",
    "database-name": "interface",
    "database-port": "5432",
    "database-user": "interface",
}
_STATE = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
STATE_SECRETS = {
    "cache-url": f"{_STATE}:cache-AbCdEf:::11111111-2222-3333-4444-555555555555",
    "database-master-password": f"{_STATE}:rds!cluster-11111111-AbCdEf:password::",
    "database-master-user": f"{_STATE}:rds!cluster-11111111-AbCdEf:username::",
}
RUNBOOK = "https://runbook.example.com"
_SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d"


def operations_args(**changes: object) -> OperationsArgs:
    return OperationsArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "account_id": ACCOUNT,
            "contact_email": "on-call@example.com",
            "tags": TAGS,
            **changes,
        }
    )


def workload_args(**changes: object) -> WorkloadIdentityArgs:
    return WorkloadIdentityArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "account_id": ACCOUNT,
            "vpc_id": "vpc-0123456789abcdef0",
            "image_repository_arns": REPOSITORIES,
            "log_group_arns": LOG_GROUP_ARNS,
            "key_arn": KEY,
            "tags": TAGS,
            **changes,
        }
    )


def bedrock(region: str = REGION, *destinations: str) -> dict[str, Any]:
    return {"kind": "bedrock", "region": region, "destination_regions": list(destinations)}


def private(group: str = "sg-0123456789abcdef0", port: int = 443) -> dict[str, Any]:
    return {"kind": "private", "host_name": "models.internal.example.com", "security_group_id": group, "port": port}


def group(name: str = "general", **changes: object) -> dict[str, Any]:
    return {"name": name, "models": ["openai.gpt-oss-120b-1:0"], "upstreams": [bedrock()], **changes}


def models_args(**changes: object) -> ModelAccessArgs:
    return ModelAccessArgs.model_validate(
        {
            "environment": "test",
            "account_id": ACCOUNT,
            "groups": [group()],
            "task_role_name": "workload-task",
            "security_group_id": "sg-00000000000000001",
            "tags": TAGS,
            **changes,
        }
    )


DEPLOYMENT = Deployment(
    origin="https://chat.example.com",
    model_base_urls=["http://127.0.0.1:9080/general/v1", "http://127.0.0.1:9080/private/v1"],
    session_seconds=28_800,
    upload_mebibytes=50,
    model_deadline_seconds=540,
)


def model_alarms_args(**changes: object) -> ModelAlarmsArgs:
    return ModelAlarmsArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "groups": [group()],
            "alarm_topic_arn": TOPIC,
            "ticket_topic_arn": TICKETS,
            "runbook_url": RUNBOOK,
            "tags": TAGS,
            **changes,
        }
    )


def recording_args(**changes: object) -> PromptRecordingArgs:
    return PromptRecordingArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "account_id": ACCOUNT,
            "record_prompts_for_days": 30,
            "reader_arns": [f"arn:aws:iam::{ACCOUNT}:role/prompt-readers"],
            "tags": TAGS,
            **changes,
        }
    )


def application(**changes: Any) -> ApplicationArgs:  # noqa: ANN401 - whatever the deployment holds
    return PRESET.application(replace(DEPLOYMENT, **changes))


def service_args(**changes: object) -> InterfaceServiceArgs:
    return InterfaceServiceArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "release": "2026.11.1",
            "schemas": SCHEMAS,
            "application": application(),
            "interface_image": f"{REGISTRY}/interface@{DIGEST}",
            "proxy_image": f"{REGISTRY}/proxy@{DIGEST}",
            "proxy_arguments": ["--config-yaml", "{}"],
            "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/execution",
            "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/task",
            "secret_references": SECRET_REFERENCES,
            "log_group_names": LOG_GROUPS,
            "key_arn": KEY,
            "subnet_ids": ["subnet-00000000000000001", "subnet-00000000000000002"],
            "security_group_id": "sg-00000000000000001",
            "target_group_arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/t/0123456789abcdef",
            "load_balancer_arn_suffix": "app/edge/0123456789abcdef",
            "target_group_arn_suffix": "targetgroup/t/0123456789abcdef",
            "rollback_alarm_names": ["one", "two"],
            "tags": TAGS,
            **changes,
        }
    )


def edge_alarms_args(**changes: object) -> EdgeAlarmsArgs:
    return EdgeAlarmsArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "load_balancer_arn_suffix": "app/edge/0123456789abcdef",
            "target_group_arn_suffix": "targetgroup/t/0123456789abcdef",
            "firewall_metric_name": "firewall",
            "alarm_topic_arn": TOPIC,
            "ticket_topic_arn": TICKETS,
            "runbook_url": RUNBOOK,
            "tags": TAGS,
            **changes,
        }
    )


def service_alarms_args(**changes: object) -> ServiceAlarmsArgs:
    return ServiceAlarmsArgs.model_validate(
        {
            "environment": "test",
            "cluster_name": "ai-interface-test",
            "service_name": "interface",
            "service_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/ai-interface-test/interface",
            "alarm_topic_arn": TOPIC,
            "ticket_topic_arn": TICKETS,
            "runbook_url": RUNBOOK,
            "tags": TAGS,
            **changes,
        }
    )


def state_args(**changes: object) -> DataArgs:
    return DataArgs.model_validate(
        {
            "environment": "test",
            "region": REGION,
            "account_id": ACCOUNT,
            "vpc_id": "vpc-0123456789abcdef0",
            "subnet_ids": ["subnet-00000000000000001", "subnet-00000000000000002"],
            "availability_zones": ["eu-west-1a", "eu-west-1b"],
            "client_security_group_id": "sg-00000000000000001",
            "task_role_name": "workload-task",
            "execution_role_name": "workload-execution",
            "log_key_arn": KEY,
            "alarm_topic_arn": TOPIC,
            "tags": TAGS,
            **changes,
        }
    )


def state_alarms_args(**changes: object) -> DataAlarmsArgs:
    return DataAlarmsArgs.model_validate(
        {
            "environment": "test",
            "database_cluster_id": "ai-interface-test",
            "maximum_capacity_units": 4,
            "task_connections": 30,
            "cluster_name": "ai-interface-test",
            "service_name": "interface",
            "database_instances": 2,
            "cache_nodes": 2,
            "cache_node_ids": ["state-cache-001", "state-cache-002"],
            "backup_vault_arn": f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:state",
            "backup_vault_name": "state-backups",
            "alarm_topic_arn": TOPIC,
            "ticket_topic_arn": TICKETS,
            "runbook_url": RUNBOOK,
            "tags": TAGS,
            **changes,
        }
    )


def uploads_args(**changes: object) -> UploadsAccessArgs:
    return UploadsAccessArgs.model_validate(
        {
            "bucket_name": "state-uploads",
            "bucket_arn": "arn:aws:s3:::state-uploads",
            "endpoint_id": "vpce-0123456789abcdef0",
            "backup_role_arn": f"arn:aws:iam::{ACCOUNT}:role/state-backup",
            **changes,
        }
    )


COMPONENTS: Mapping[str, tuple[Callable[..., pulumi.ComponentResource], Callable[..., Any]]] = {
    "operations": (Operations, operations_args),
    "workload": (WorkloadIdentity, workload_args),
    "models": (ModelAccess, models_args),
    "service": (InterfaceService, service_args),
    "edge-alarms": (EdgeAlarms, edge_alarms_args),
    "service-alarms": (ServiceAlarms, service_alarms_args),
    "model-alarms": (ModelAlarms, model_alarms_args),
    "prompts": (PromptRecording, recording_args),
    "state": (Data, state_args),
    "state-alarms": (DataAlarms, state_alarms_args),
    "uploads": (UploadsAccess, uploads_args),
}


def build(name: str, *, preview: bool = False, **changes: object) -> Recording:
    """Record one component under its usual name."""
    component, args = COMPONENTS[name]
    return record(lambda: component(name, args(**changes)), preview=preview)


def one(recording: Recording, type_: str, name: str | None = None) -> RecordedResource:
    """The only resource of a type, or the one with that name."""
    found = [r for r in recording.resources if r.type == type_ and name in (None, r.name)]
    assert len(found) == 1, [r.name for r in found]
    return found[0]


def made(recording: Recording) -> dict[str, int]:
    """How many custom resources of each type there are, providers left out."""
    counts: dict[str, int] = {}
    for resource in recording.resources:
        if resource.custom and not resource.type.startswith("pulumi:"):
            counts[resource.type] = counts.get(resource.type, 0) + 1
    return counts


def is_secret(value: object) -> bool:
    return isinstance(value, dict) and _SECRET_SIGNATURE in value


def plain(value: object) -> object:
    """The value behind a secret's wrapper."""
    return cast("dict[str, object]", value)["value"] if is_secret(value) else value


def text(value: object) -> str:
    """The string, also where it is secret."""
    found = plain(value)
    assert isinstance(found, str)
    return found


def document(resource: RecordedResource, key: str = "policy") -> list[dict[str, Any]]:
    """The statements of a policy document."""
    parsed = json.loads(text(resource.inputs[key]))
    assert parsed["Version"] == "2012-10-17"
    return parsed["Statement"]
