"""Cluster, service, scaling, and the task definition as AWS gets it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from components.service.component import PROXY_SECRETS
from components.service.task_definition import MAXIMUM_BYTES, TaskPlan, container_definitions
from tests.components.task_fixtures import (
    DIGEST,
    KEY,
    LOG_GROUPS,
    REGION,
    REGISTRY,
    SCHEMAS,
    SECRET_REFERENCES,
    TAGS,
    application,
    build,
    made,
    one,
    service_args,
    text,
)

SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
CHOWN_LEFT = [
    "AUDIT_WRITE",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
]


def _containers(**changes: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - whatever the arguments hold
    definition = one(build("service", **changes), TASK).inputs["containerDefinitions"]
    return {container["name"]: container for container in json.loads(text(definition))}


def test_it_makes_a_cluster_a_task_definition_a_service_and_its_scaling() -> None:
    assert made(build("service")) == {
        "aws:appautoscaling/policy:Policy": 3,
        "aws:appautoscaling/target:Target": 1,
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:ecs/cluster:Cluster": 1,
        "aws:ecs/service:Service": 1,
        "aws:ecs/taskDefinition:TaskDefinition": 1,
    }


def test_a_first_preview_registers_the_same_resources() -> None:
    assert made(build("service", preview=True)) == made(build("service"))


def test_the_cluster_is_observed_and_its_storage_is_encrypted_with_the_key() -> None:
    recording = build("service", log_retention_days=30)
    cluster = one(recording, "aws:ecs/cluster:Cluster").inputs
    insights = one(recording, "aws:cloudwatch/logGroup:LogGroup").inputs

    assert cluster["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    assert cluster["configuration"] == {"managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": KEY}}
    assert insights["name"] == f"/aws/ecs/containerinsights/{cluster['name']}/performance"
    assert (insights["retentionInDays"], insights["kmsKeyId"]) == (30, KEY)


def test_the_log_group_that_ecs_would_make_exists_before_the_cluster() -> None:
    recording = build("service")
    insights = one(recording, "aws:cloudwatch/logGroup:LogGroup")

    assert insights.urn in one(recording, "aws:ecs/cluster:Cluster").dependencies


def test_the_service_is_private_and_deploys_without_losing_a_task() -> None:
    service = one(build("service"), SERVICE).inputs

    assert service["networkConfiguration"] == {
        "assignPublicIp": False,
        "securityGroups": ["sg-00000000000000001"],
        "subnets": ["subnet-00000000000000001", "subnet-00000000000000002"],
    }
    assert {key: service[key] for key in sorted(service) if key.startswith(("deployment", "enable", "alarms"))} == {
        "alarms": {"alarmNames": ["one", "two"], "enable": True, "rollback": True},
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentMaximumPercent": 200,
        "deploymentMinimumHealthyPercent": 100,
        "enableEcsManagedTags": True,
        "enableExecuteCommand": False,
    }
    assert (service["launchType"], service["platformVersion"]) == ("FARGATE", "LATEST")
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    assert service["loadBalancers"] == [
        {
            "containerName": "proxy",
            "containerPort": 8443,
            "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/t/0123456789abcdef",
        }
    ]


def test_a_release_that_must_not_run_beside_the_one_before_stops_it_first() -> None:
    service = one(build("service", stop_before_start=True), SERVICE).inputs

    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (0, 100)
    assert service["availabilityZoneRebalancing"] == "DISABLED"
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_scaling_owns_the_number_of_tasks() -> None:
    assert one(build("service"), SERVICE).ignore_changes == ("desiredCount",)


def test_an_earlier_task_definition_stays_registered_for_the_way_back() -> None:
    assert one(build("service"), TASK).inputs["skipDestroy"] is True


def test_the_release_is_on_the_task_definition_and_the_service_only() -> None:
    tagged = {r.name: r.inputs["tags"] for r in build("service").resources if "tags" in r.inputs}

    assert {name for name, tags in tagged.items() if "release" in tags} == {"service-service", "service-task"}
    assert all(tags.items() >= TAGS.items() for tags in tagged.values())


def test_the_task_has_fargates_isolation_and_roles_apart() -> None:
    task = one(build("service"), TASK).inputs

    assert (task["networkMode"], task["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    assert task["executionRoleArn"] != task["taskRoleArn"]
    assert "pidMode" not in task
    assert task["ephemeralStorage"] == {"sizeInGib": 30}
    assert task["runtimePlatform"] == {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}


def test_every_volume_is_the_tasks_own() -> None:
    assert one(build("service"), TASK).inputs["volumes"] == [
        {"name": "home-app"},
        {"name": "srv-data"},
        {"name": "srv-static"},
        {"name": "srv-trust"},
        {"name": "tmp"},
    ]


def test_containers_start_in_order() -> None:
    containers = _containers()
    order = {name: c.get("dependsOn", []) for name, c in containers.items()}

    assert list(containers) == ["prepare", "proxy", "interface"]
    assert order == {
        "prepare": [],
        "proxy": [{"containerName": "prepare", "condition": "SUCCESS"}],
        "interface": [
            {"containerName": "prepare", "condition": "SUCCESS"},
            {"containerName": "proxy", "condition": "START"},
        ],
    }
    assert {name: c["essential"] for name, c in containers.items()} == {
        "prepare": False,
        "proxy": True,
        "interface": True,
    }


def test_no_container_keeps_a_privilege_and_only_prepare_is_root() -> None:
    containers = _containers()

    assert {name: (c["user"], c["readonlyRootFilesystem"], c["privileged"]) for name, c in containers.items()} == {
        "prepare": ("0:0", True, False),
        "proxy": ("65532:65532", True, False),
        "interface": ("1000:1000", True, False),
    }
    assert {name: c["linuxParameters"]["capabilities"] for name, c in containers.items()} == {
        "prepare": {"add": [], "drop": CHOWN_LEFT},
        "proxy": {"add": [], "drop": ["ALL"]},
        "interface": {"add": [], "drop": ["ALL"]},
    }


def test_images_are_named_by_digest() -> None:
    assert {name: c["image"] for name, c in _containers().items()} == {
        "prepare": f"{REGISTRY}/interface@{DIGEST}",
        "proxy": f"{REGISTRY}/proxy@{DIGEST}",
        "interface": f"{REGISTRY}/interface@{DIGEST}",
    }


def test_secrets_come_by_reference_and_each_container_has_its_own() -> None:
    assert {name: c.get("secrets", []) for name, c in _containers().items()} == {
        "prepare": [],
        "proxy": [
            {"name": "PROXY_CERTIFICATE", "valueFrom": SECRET_REFERENCES["proxy-certificate"]},
            {"name": "PROXY_PRIVATE_KEY", "valueFrom": SECRET_REFERENCES["proxy-private-key"]},
            {"name": "PROXY_USER_KEY", "valueFrom": SECRET_REFERENCES["user-key"]},
        ],
        "interface": [{"name": "WEBUI_SECRET_KEY", "valueFrom": SECRET_REFERENCES["session-key"]}],
    }


def test_only_the_proxys_port_is_open() -> None:
    assert {name: c["portMappings"] for name, c in _containers().items()} == {
        "prepare": [],
        "proxy": [{"containerPort": 8443, "hostPort": 8443, "protocol": "tcp"}],
        "interface": [],
    }


def test_every_container_logs_without_being_able_to_stop_the_interface() -> None:
    for name, container in _containers().items():
        assert container["logConfiguration"] == {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": LOG_GROUPS[name],
                "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": name,
                "max-buffer-size": "8m",
                "mode": "non-blocking",
            },
        }


def test_containers_stop_within_the_budget() -> None:
    assert {c["stopTimeout"] for c in _containers(stop_seconds=45).values()} == {45}


def test_the_proxy_gets_its_arguments_as_they_are() -> None:
    arguments = ["--config-yaml", '{"a":1}', "--disable-hot-restart"]

    assert _containers(proxy_arguments=arguments)["proxy"]["command"] == arguments


def _plan(*proxy_arguments: str) -> TaskPlan:
    return TaskPlan(
        application=application(),
        proxy_image=f"{REGISTRY}/proxy@{DIGEST}",
        interface_image=f"{REGISTRY}/interface@{DIGEST}",
        proxy_arguments=proxy_arguments,
        proxy_secrets=PROXY_SECRETS,
        proxy_memory_mebibytes=256,
        secret_references=SECRET_REFERENCES,
        data_values={},
        log_group_names=LOG_GROUPS,
        release="2026.11.1",
        schemas=SCHEMAS,
        region=REGION,
        stop_seconds=60,
    )


def test_a_definition_that_aws_would_refuse_is_refused_with_the_size_of_each_container() -> None:
    fixed = len(container_definitions(_plan("")).encode())

    container_definitions(_plan("x" * (MAXIMUM_BYTES - fixed - 1)))
    with pytest.raises(
        ValueError, match=r"are 65536 bytes \(prepare \d+ bytes, proxy \d{5} bytes, interface \d+ bytes\)"
    ):
        container_definitions(_plan("x" * (MAXIMUM_BYTES - fixed)))


def test_a_secret_that_nobody_made_is_refused_by_name() -> None:
    plan = replace(_plan(""), proxy_secrets={"PROXY_CERTIFICATE": "certificate"})

    with pytest.raises(ValueError, match="unknown secrets: certificate; available: proxy-certificate"):
        container_definitions(plan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum_tasks": 2, "maximum_tasks": 2, "cpu_target_percent": 60}, "lower the CPU target to 45"),
        (
            {"minimum_tasks": 2, "maximum_tasks": 4, "cpu_target_percent": 45},
            "3 tasks in 2 .* the remaining 1 would need 135",
        ),
        ({"minimum_tasks": 2, "maximum_tasks": 2, "availability_zones": 1}, "2 tasks in one availability zone"),
        ({"minimum_tasks": 3, "maximum_tasks": 2}, "maximum_tasks 2 is less than minimum_tasks 3"),
        ({"interface_image": f"{REGISTRY}/interface:0.11.4"}, "is not pinned"),
        ({"proxy_image": f"{REGISTRY}/proxy:latest"}, "is not pinned"),
        ({"architecture": "MIPS"}, "X86_64 and ARM64"),
        ({"stop_seconds": 121}, "less than or equal to 120"),
        ({"unknown": 1}, "Extra inputs are not permitted"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        service_args(**changes)
