"""What the state adds to the task: who gets which value and which secret."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.application import ApplicationArgs
from components.compute import PROXY_SECRETS
from components.task_definition import TaskPlan, container_definitions
from tests.components.task_room import (
    DIGEST,
    LOG_GROUPS,
    REGION,
    REGISTRY,
    SECRET_REFERENCES,
    STATE_SECRETS,
    STATE_VALUES,
    build,
    one,
    preset,
    text,
)

DATABASE = {
    "DATABASE_HOST": STATE_VALUES["database-host"],
    "DATABASE_NAME": "interface",
    "DATABASE_PORT": "5432",
    "DATABASE_USER": "interface",
}


STATEFUL = preset(shared_state=True, region=REGION).application


def _containers(
    application: ApplicationArgs = STATEFUL, state_values: Mapping[str, str] = STATE_VALUES
) -> dict[str, dict[str, Any]]:
    plan = TaskPlan(
        application=application,
        proxy_image=f"{REGISTRY}/proxy@{DIGEST}",
        interface_image=f"{REGISTRY}/interface@{DIGEST}",
        proxy_arguments=[],
        proxy_secrets=PROXY_SECRETS,
        proxy_memory_mebibytes=256,
        secret_references={**SECRET_REFERENCES, **STATE_SECRETS},
        state_values=state_values,
        log_group_names=LOG_GROUPS,
        region=REGION,
        stop_seconds=60,
    )
    return {container["name"]: container for container in json.loads(container_definitions(plan))}


def _variables(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["environment"]}


def _secrets(container: dict[str, Any]) -> dict[str, str]:
    return {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}


def test_the_master_secret_reaches_prepare_and_no_other_container() -> None:
    found = {name: _secrets(container) for name, container in _containers().items()}

    assert found["prepare"] == {
        "DATABASE_MASTER_PASSWORD": STATE_SECRETS["database-master-password"],
        "DATABASE_MASTER_USER": STATE_SECRETS["database-master-user"],
    }
    assert found["interface"] == {
        "REDIS_URL": STATE_SECRETS["cache-url"],
        "WEBUI_SECRET_KEY": SECRET_REFERENCES["session-key"],
    }
    assert not [name for name, value in found["proxy"].items() if "master" in value]


def test_prepare_and_the_application_are_told_where_the_database_is() -> None:
    containers = _containers()
    interface = _variables(containers["interface"])

    assert _variables(containers["prepare"]).items() >= DATABASE.items()
    assert interface.items() >= {**DATABASE, "S3_BUCKET_NAME": STATE_VALUES["bucket-name"]}.items()
    assert interface["ENABLE_DB_MIGRATIONS"] == "false"
    assert interface["DATABASE_ENABLE_IAM_TOKEN_AUTH"] == "true"
    assert not _variables(containers["proxy"])


def test_without_state_nothing_of_it_is_there() -> None:
    application = preset().application

    assert not application.value_environment
    assert not application.prepare_value_environment
    assert not application.prepare_secret_environment
    assert not [name for name in application.environment if name.startswith(("DATABASE", "S3", "PGVECTOR"))]


def test_a_value_that_the_state_does_not_have_is_refused_by_name() -> None:
    values = {key: value for key, value in STATE_VALUES.items() if key != "bucket-name"}

    with pytest.raises(ValueError, match="no such state value: bucket-name; there are database-host, database-name"):
        _containers(state_values=values)
    with pytest.raises(ValueError, match="there are none: the service has no state"):
        _containers(state_values={})


def test_a_variable_has_one_source() -> None:
    application = ApplicationArgs(name="own", environment={"HOST": "x"}, value_environment={"HOST": "database-host"})

    with pytest.raises(ValueError, match="set both as a plain variable and from a state value: HOST"):
        _containers(application=application)


def test_the_service_passes_on_what_it_gets_also_where_it_is_not_known_yet() -> None:
    arguments: dict[str, Any] = {
        "application": STATEFUL,
        "secret_references": {**SECRET_REFERENCES, **STATE_SECRETS},
        "state_values": STATE_VALUES,
    }
    definition = one(build("service", **arguments), "aws:ecs/taskDefinition:TaskDefinition")

    assert STATE_VALUES["database-host"] in text(definition.inputs["containerDefinitions"])
    assert one(build("service", preview=True, **arguments), "aws:ecs/taskDefinition:TaskDefinition")
