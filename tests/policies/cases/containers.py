"""Policies on task definitions and services."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.values import Value
from tests.policies.wire import UNKNOWN, case, r, secret

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/api@sha256:" + "0" * 64
GOOD: dict[str, Any] = {
    "name": "api",
    "image": IMAGE,
    "user": "10001:10001",
    "readonlyRootFilesystem": True,
    "stopTimeout": 60,
    "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/app/api"}},
    "environment": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "MAX_TOKENS", "value": "4096"}],
    "secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"}],
}


def task(**changed: Value) -> dict[str, Any]:
    return r("ecs.TaskDefinition", containerDefinitions=json.dumps([{**GOOD, **changed}]))


UNKNOWN_TASK = r("ecs.TaskDefinition", containerDefinitions=UNKNOWN, needs={"containerDefinitions": r("kms.Key", "k")})
NO_TASK = r("sns.Topic")
UNPROVEN = ["not proven x.containerDefinitions"]
TOPIC = r("sns.Topic")


def env(name: str, value: Value) -> dict[str, Any]:
    return task(environment=[{"name": name, "value": value}])


CASES = [
    case("images-by-digest", "by digest from the account's registry", task()),
    case("images-by-digest", "a tag", task(image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.2"),
         says=["violated x.containerDefinitions[api].image"]),
    case("images-by-digest", "a digest with a tag before it", task(image=IMAGE.replace("@", ":v1@"))),
    case("images-by-digest", "a digest from elsewhere", task(image="docker.io/app/api@sha256:" + "0" * 64),
         says=["violated x.containerDefinitions[api].image"]),
    case("images-by-digest", "a registry that only looks alike",
         task(image="evil.example/123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:" + "0" * 64),
         says=["violated x.containerDefinitions[api].image"]),
    case("images-by-digest", "a digest that is too short", task(image=IMAGE[:-1]),
         says=["violated x.containerDefinitions[api].image"]),
    case("images-by-digest", "a function's image by tag",
         r("lambda.Function", imageUri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/f:1"), says=["violated x.imageUri"]),
    case("images-by-digest", "a function's image that is not known", r("lambda.Function", imageUri=UNKNOWN),
         says=["not proven x.imageUri"]),
    case("images-by-digest", "a function from a zip file", r("lambda.Function", handler="index.handler")),
    case("images-by-digest", "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case("images-by-digest", "not applicable", NO_TASK),
    case("container-privileges", "bounded", task()),
    case("container-privileges", "drops capabilities",
         task(linuxParameters={"capabilities": {"drop": ["ALL"], "add": []}}, privileged=False)),
    case("container-privileges", "no user", task(user=None), says=["violated x.containerDefinitions[api].user"]),
    case("container-privileges", "root by number", task(user="0"), says=["violated x.containerDefinitions[api].user"]),
    case("container-privileges", "root by name", task(user="root:root"), says=["violated x.containerDefinitions[api].user"]),
    case("container-privileges", "root's group", task(user="1000:0"), says=["violated x.containerDefinitions[api].user"]),
    case("container-privileges", "a writable root file system", task(readonlyRootFilesystem=False),
         says=["violated x.containerDefinitions[api].readonlyRootFilesystem"]),
    case("container-privileges", "privileged", task(privileged=True),
         says=["violated x.containerDefinitions[api].privileged"]),
    case("container-privileges", "an added capability", task(linuxParameters={"capabilities": {"add": ["SYS_ADMIN"]}}),
         says=["violated x.containerDefinitions[api].linuxParameters.capabilities.add"]),
    case("container-privileges", "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case("container-privileges", "no JSON", r("ecs.TaskDefinition", containerDefinitions="[{"), says=UNPROVEN),
    case("container-privileges", "not applicable", NO_TASK),
    case("secrets-not-in-environment", "secrets by reference", task()),
    case("secrets-not-in-environment", "a switch under a secret's name", env("DISABLE_PASSWORD", "true")),
    case("secrets-not-in-environment", "a password", env("DB_PASSWORD", "hunter2"),
         says=["violated x.containerDefinitions[api].environment[DB_PASSWORD]"]),
    case("secrets-not-in-environment", "an access key under a harmless name", env("REMARK", "AKIAABCDEFGHIJKLMNOP"),
         says=["violated x.containerDefinitions[api].environment[REMARK]"]),
    case("secrets-not-in-environment", "a password in a URL", env("DATABASE_URL", "postgres://u:p4ss@db:5432/app"),
         says=["violated x.containerDefinitions[api].environment[DATABASE_URL]"]),
    case("secrets-not-in-environment", "the mark of a secret on all of it",
         r("ecs.TaskDefinition", containerDefinitions=secret(json.dumps([GOOD]))), says=["violated x.containerDefinitions"]),
    case("secrets-not-in-environment", "a function's secret",
         r("lambda.Function", environment={"variables": {"API_KEY": "k-123456"}}),
         says=["violated x.environment.variables[API_KEY]"]),
    case("secrets-not-in-environment", "a function's marked secret",
         r("lambda.Function", environment={"variables": {"REMARK": secret("abc")}}),
         says=["violated x.environment.variables[REMARK]"]),
    case("secrets-not-in-environment", "a function's variable that is not known",
         r("lambda.Function", environment={"variables": {"QUEUE": UNKNOWN}}),
         says=["not proven x.environment.variables[QUEUE]"]),
    case("secrets-not-in-environment", "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case("secrets-not-in-environment", "not applicable", NO_TASK),
    case("container-logs", "to a group", task()),
    case("container-logs", "to nowhere", task(logConfiguration=None),
         says=["violated x.containerDefinitions[api].logConfiguration.logDriver"]),
    case("container-logs", "without a group", task(logConfiguration={"logDriver": "awslogs", "options": {}}),
         says=["violated x.containerDefinitions[api].logConfiguration.options.awslogs-group"]),
    case("container-logs", "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case("container-logs", "not applicable", NO_TASK),
    case("containers-stop-in-time", "in a minute", task()),
    case("containers-stop-in-time", "never said", task(stopTimeout=None),
         says=["violated x.containerDefinitions[api].stopTimeout"]),
    case("containers-stop-in-time", "longer than Fargate waits", task(stopTimeout=121),
         says=["violated x.containerDefinitions[api].stopTimeout"]),
    case("containers-stop-in-time", "unknown", UNKNOWN_TASK, says=UNPROVEN),
    case("containers-stop-in-time", "not applicable", NO_TASK),
    case("task-isolation", "apart", r("ecs.TaskDefinition", networkMode="awsvpc"),
         r("ecs.Service", "s", networkConfiguration={"assignPublicIp": False}, enableExecuteCommand=False)),
    case("task-isolation", "the host's network and processes",
         r("ecs.TaskDefinition", networkMode="host", pidMode="host", ipcMode="host"),
         says=["violated x.networkMode", "violated x.pidMode", "violated x.ipcMode"]),
    case("task-isolation", "the default network mode", r("ecs.TaskDefinition"), says=["violated x.networkMode"]),
    case("task-isolation", "a public address and a shell",
         r("ecs.Service", networkConfiguration={"assignPublicIp": True}, enableExecuteCommand=True, platformVersion="1.3.0"),
         says=["violated x.networkConfiguration.assignPublicIp", "violated x.enableExecuteCommand",
               "violated x.platformVersion"]),
    case("task-isolation", "a task set with a public address",
         r("ecs.TaskSet", networkConfiguration={"assignPublicIp": True}),
         says=["violated x.networkConfiguration.assignPublicIp"]),
    case("task-isolation", "unknown", r("ecs.Service", networkConfiguration=UNKNOWN),
         says=["not proven x.networkConfiguration.assignPublicIp"]),
    case("task-isolation", "not applicable", TOPIC),
    case("deployments-roll-back", "by themselves", r("ecs.Service", deploymentCircuitBreaker={"enable": True, "rollback": True})),
    case("deployments-roll-back", "not at all", r("ecs.Service"),
         says=["violated x.deploymentCircuitBreaker.enable", "violated x.deploymentCircuitBreaker.rollback"]),
    case("deployments-roll-back", "by CodeDeploy", r("ecs.Service", deploymentController={"type": "CODE_DEPLOY"})),
    case("deployments-roll-back", "unknown", r("ecs.Service", deploymentCircuitBreaker=UNKNOWN),
         says=["not proven x.deploymentCircuitBreaker.enable", "not proven x.deploymentCircuitBreaker.rollback"]),
    case("deployments-roll-back", "not applicable", TOPIC),
    case("clusters-are-observed", "enhanced", r("ecs.Cluster", settings=[{"name": "containerInsights", "value": "enhanced"}])),
    case("clusters-are-observed", "off", r("ecs.Cluster", settings=[{"name": "containerInsights", "value": "disabled"}]),
         says=["violated x.settings[containerInsights]"]),
    case("clusters-are-observed", "unknown", r("ecs.Cluster", settings=UNKNOWN), says=["not proven x.settings"]),
    case("clusters-are-observed", "not applicable", TOPIC),
    case("task-roles-apart", "two roles", r("ecs.TaskDefinition", executionRoleArn="arn:a", taskRoleArn="arn:b")),
    case("task-roles-apart", "one role for both", r("ecs.TaskDefinition", executionRoleArn="arn:a", taskRoleArn="arn:a"),
         says=["violated x.taskRoleArn"]),
    case("task-roles-apart", "one role for both that is not known yet", (ROLE := r("iam.Role", "role")),
         r("ecs.TaskDefinition", executionRoleArn=UNKNOWN, taskRoleArn=UNKNOWN,
           needs={"executionRoleArn": ROLE, "taskRoleArn": ROLE}), says=["violated x.taskRoleArn"]),
    case("task-roles-apart", "no role", r("ecs.TaskDefinition"),
         says=["violated x.executionRoleArn", "violated x.taskRoleArn"]),
    case("task-roles-apart", "two roles that are not known yet", ROLE, (OTHER := r("iam.Role", "other")),
         r("ecs.TaskDefinition", executionRoleArn=UNKNOWN, taskRoleArn=UNKNOWN,
           needs={"executionRoleArn": ROLE, "taskRoleArn": OTHER})),
    case("task-roles-apart", "unknown", r("other.Thing", "elsewhere"),
         r("ecs.TaskDefinition", executionRoleArn=UNKNOWN, taskRoleArn="arn:b",
           needs={"executionRoleArn": {"urn": "urn:pulumi:test::project::aws:iam/role:Role::gone"}}),
         says=["not proven x.executionRoleArn"]),
    case("task-roles-apart", "not applicable", TOPIC),
]  # fmt: skip
