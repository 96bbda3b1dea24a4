"""What a deployment passes to the containers of a task, read from the recorded graph of a real stack.

The tests in this folder take names, roles, variables and commands from here, as the stack registers them. What has to be
replaced on a machine without AWS is listed in ``stack_database.py`` and ``interface.py``.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from preflight.recording.recorder import RecordedResource, Recording, record
from preflight.sdk.wire import unwrap
from tests.settings.stack_files import ROOT, as_the_engine_passes_it
from tests.tasks import interface_task

STACKS = ("prod", "staging")
CLUSTER = "aws:rds/cluster:Cluster"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


@dataclass(frozen=True)
class Deployed:
    """One stack, as it would be deployed."""

    recording: Recording

    @property
    def region(self) -> str:
        """The region of the stack's provider."""
        (provider,) = self.recording.of_type("pulumi:providers:aws")
        return str(provider.inputs["region"])

    @property
    def master(self) -> str:
        """The role that RDS creates with the cluster."""
        return str(self._cluster.inputs["masterUsername"])

    @property
    def database(self) -> str:
        """The database that RDS creates with the cluster."""
        return str(self._cluster.inputs["databaseName"])

    @property
    def role(self) -> str:
        """The application's role in the database."""
        return self.environment("prepare")["DATABASE_USER"]

    @property
    def release(self) -> str:
        """The release that prepare migrates the database to."""
        return str(self.plan["database"]["release"])

    @property
    def plan(self) -> dict[str, Any]:
        """The plan that prepare executes."""
        return json.loads(self.environment("prepare")["PREPARE_PLAN"])

    def container(self, name: str) -> dict[str, Any]:
        """A container's definition."""
        task = interface_task(self.recording)
        definitions = json.loads(unwrap(task.inputs["containerDefinitions"]))
        return next(one for one in definitions if one["name"] == name)

    def command(self, name: str, python: str) -> list[str]:
        """What a container runs, with another interpreter in place of the image's ``python3``."""
        container = self.container(name)
        assert container["entryPoint"] == ["python3"], container["entryPoint"]
        return [python, *container["command"]]

    def environment(self, name: str) -> dict[str, str]:
        """A container's plain variables."""
        return {one["name"]: one["value"] for one in self.container(name)["environment"]}

    def secrets(self, name: str, password: str) -> dict[str, str]:
        """A container's secret variables as ECS resolves them. ``password`` is the master's, which RDS generates."""
        return {one["name"]: self._secret(one["valueFrom"], password) for one in self.container(name)["secrets"]}

    def with_master(self, name: str) -> Deployed:
        """The same stack with another master user name."""
        changed = replace(self._cluster, inputs={**self._cluster.inputs, "masterUsername": name})
        resources = [changed if one.urn == changed.urn else one for one in self.recording.resources]
        return Deployed(replace(self.recording, resources=resources))

    @property
    def _cluster(self) -> RecordedResource:
        (cluster,) = self.recording.of_type(CLUSTER)
        return cluster

    def _secret(self, value_from: str, password: str) -> str:
        # arn:aws:secretsmanager:<region>:<account>:secret:<name>:<key>:<stage>:<version>
        parts = value_from.split(":")
        arn, key, version = ":".join(parts[:7]), parts[7], parts[9]
        managed = unwrap(self._cluster.outputs["masterUserSecrets"])
        if arn in [one["secretArn"] for one in managed]:
            # The two keys that RDS writes (Aurora user guide, password management with Secrets Manager).
            return {"username": self.master, "password": password}[key]
        (found,) = [
            one
            for one in self.recording.of_type(SECRET_VERSION)
            if (unwrap(one.inputs["secretId"]), one.outputs["versionId"]) == (arn, version)
        ]
        text = str(unwrap(found.inputs["secretString"]))
        return str(cast("Mapping[str, object]", json.loads(text))[key]) if key else text


@cache
def deployed(stack: str) -> Deployed:
    """A stack with its committed stack file."""
    return _recorded(stack, as_the_engine_passes_it(stack))


@cache
def deployed_with(release: str) -> Deployed:
    """Staging with this release."""
    return _recorded("staging", {**as_the_engine_passes_it("staging"), "ai-interface:release": release})


def deployed_with_settings(changes: Mapping[str, object]) -> Deployed:
    """Staging with some keys of its stack file changed."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    return _recorded("staging", {**as_the_engine_passes_it("staging"), **texts})


def _recorded(stack: str, config: Mapping[str, str]) -> Deployed:
    return Deployed(
        record(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), stack=stack, config=config)
    )
