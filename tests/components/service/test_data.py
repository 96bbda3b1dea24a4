"""What the state adds to the task: who gets which value and which secret."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from pydantic import ValidationError

from components.applications import ApplicationArgs
from components.applications.application import SchemaArgs, volume_name
from components.applications.documents import language_files
from components.data import certificates
from components.data.certificates import DATABASE_AUTHORITY, database_authority
from components.service.component import PROXY_SECRETS
from components.service.task_definition import TaskPlan, container_definitions
from tests.components.task_fixtures import (
    DIGEST,
    LOG_GROUPS,
    REGION,
    REGISTRY,
    SCHEMAS,
    SECRET_REFERENCES,
    STATE_SECRETS,
    STATE_VALUES,
    application,
    build,
    one,
    text,
)

DATABASE = {
    "DATABASE_HOST": STATE_VALUES["database-host"],
    "DATABASE_NAME": "interface",
    "DATABASE_PORT": "5432",
    "DATABASE_USER": "interface",
}


STATEFUL = application(shared_data=True, region=REGION)


def _containers(
    application: ApplicationArgs = STATEFUL,
    data_values: Mapping[str, str] = STATE_VALUES,
    schemas: Sequence[SchemaArgs] = SCHEMAS,
) -> dict[str, dict[str, Any]]:
    plan = TaskPlan(
        application=application,
        proxy_image=f"{REGISTRY}/proxy@{DIGEST}",
        interface_image=f"{REGISTRY}/interface@{DIGEST}",
        proxy_arguments=[],
        proxy_secrets=PROXY_SECRETS,
        proxy_memory_mebibytes=256,
        secret_references={**SECRET_REFERENCES, **STATE_SECRETS},
        data_values=data_values,
        log_group_names=LOG_GROUPS,
        release="2026.11.1",
        schemas=schemas,
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
        "WEBUI_SECRET_KEY": SECRET_REFERENCES["session-key"],
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
    made = application()

    assert not made.value_environment
    assert not made.prepare_value_environment
    assert not made.prepare_secret_environment
    assert not [name for name in made.environment if name.startswith(("DATABASE", "S3", "PGVECTOR"))]


def test_a_value_that_the_state_does_not_have_is_refused_by_name() -> None:
    values = {key: value for key, value in STATE_VALUES.items() if key != "bucket-name"}

    with pytest.raises(ValueError, match="unknown data values: bucket-name; available: database-host, database-name"):
        _containers(data_values=values)
    with pytest.raises(ValueError, match="available: none, because the service has no data stores"):
        _containers(data_values={})


def test_a_variable_has_one_source() -> None:
    application = ApplicationArgs(name="own", environment={"HOST": "x"}, value_environment={"HOST": "database-host"})

    with pytest.raises(ValueError, match="set both as a plain variable and from a data value: HOST"):
        _containers(application=application)


def test_the_service_passes_on_what_it_gets_also_where_it_is_not_known_yet() -> None:
    arguments: dict[str, Any] = {
        "application": STATEFUL,
        "secret_references": {**SECRET_REFERENCES, **STATE_SECRETS},
        "data_values": STATE_VALUES,
    }
    definition = one(build("service", **arguments), "aws:ecs/taskDefinition:TaskDefinition")

    assert STATE_VALUES["database-host"] in text(definition.inputs["containerDefinitions"])
    assert one(build("service", preview=True, **arguments), "aws:ecs/taskDefinition:TaskDefinition")


def test_prepare_is_told_what_every_release_says_of_its_schema() -> None:
    plan = json.loads(_variables(_containers()["prepare"])["PREPARE_PLAN"])["database"]

    assert plan["release"] == "2026.11.1"
    assert plan["schemas"] == {"2026.10.1": ["1111", []], "2026.11.1": ["2222", ["2026.10.1"]]}


def test_both_containers_trust_the_regions_authority_and_the_application_cannot_change_it() -> None:
    containers = _containers()
    plan = json.loads(_variables(containers["prepare"])["PREPARE_PLAN"])
    trusted = {name: _variables(containers[name]) for name in ("prepare", "interface")}
    mounts = {name: {m["containerPath"]: m["readOnly"] for m in containers[name]["mountPoints"]} for name in trusted}

    assert plan["files"]["/srv/trust/database.pem"] == database_authority(REGION)
    assert set(plan["files"]) == {
        "/srv/trust/database.pem",
        "/srv/trust/iam_login.py",
        "/srv/trust/private_log.py",
        *language_files("/srv/trust"),
    }
    for variables in trusted.values():
        assert variables["PGSSLMODE"] == "verify-full"
        assert variables["PGSSLROOTCERT"] == "/srv/trust/database.pem"
    assert (mounts["prepare"]["/srv/trust"], mounts["interface"]["/srv/trust"]) == (False, True)
    assert [directory for directory, read_only in mounts["interface"].items() if read_only] == ["/srv/trust"]
    assert not containers["proxy"]["mountPoints"]


def test_copies_of_uploads_are_removed_by_a_container_that_can_do_nothing_else() -> None:
    containers = _containers()
    made, interface = containers["cleaner"], containers["interface"]
    plan = json.loads(_variables(made)["CLEANER_PLAN"])
    data = _variables(interface)["DATA_DIR"]

    assert plan["directories"] == [f"{data}/cache/audio", f"{data}/uploads"]
    assert made["mountPoints"] == [{"containerPath": data, "sourceVolume": volume_name(data), "readOnly": False}]
    assert made["entryPoint"] + made["command"][:2] == ["python3", "-I", "-c"]
    same = ("image", "user", "linuxParameters", "readonlyRootFilesystem", "privileged")
    assert {key: made[key] for key in same} == {key: interface[key] for key in same}
    assert (made["secrets"], made["portMappings"], list(_variables(made))) == ([], [], ["CLEANER_PLAN"])
    assert made["stopTimeout"] == 5, "it has nothing to finish"
    # It may end without ending the task, and is then started again.
    assert (made["essential"], made["restartPolicy"]) == (False, {"enabled": True, "restartAttemptPeriod": 60})
    assert made["dependsOn"] == [{"containerName": "prepare", "condition": "SUCCESS"}]
    assert made["logConfiguration"]["options"] == {
        **containers["prepare"]["logConfiguration"]["options"],
        "awslogs-stream-prefix": "cleaner",
    }


def test_without_a_bucket_the_files_are_the_only_ones_and_nothing_removes_them() -> None:
    assert list(_containers(application())) == ["prepare", "proxy", "interface"]


@pytest.mark.parametrize(
    "path", ["/srv/other", "/srv/database", "srv/data", "/srv/data/../trust", "/srv/data/", "/"], ids=repr
)
def test_a_folder_that_the_application_does_not_write_is_not_disposable(path: str) -> None:
    with pytest.raises(ValidationError, match=r"write a plain path below one of writable_directories \(/srv/data\)"):
        ApplicationArgs(name="own", writable_directories=["/srv/data"], disposable_directories=[path])


def test_each_authority_is_of_the_region_that_it_stands_for() -> None:
    text = (Path(certificates.__file__).parent / f"{DATABASE_AUTHORITY}.pem").read_text()
    regions = re.findall(r"^# region (\S+)$", text, re.MULTILINE)

    assert len(regions) == 27
    for region in regions:
        certificate = x509.load_pem_x509_certificate(database_authority(region).encode())
        (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert name.value == f"Amazon RDS {region} Root CA RSA2048 G1"
        assert certificate.not_valid_after_utc.year > 2060
        certificate.verify_directly_issued_by(certificate)


def test_a_region_whose_authority_is_not_known_is_refused_with_the_way_to_add_it() -> None:
    with pytest.raises(
        ValueError, match=r"in xx-west-9 is not in this package, which contains af-south-1, .* Add it to"
    ):
        application(shared_data=True, region="xx-west-9")
    with pytest.raises(ValueError, match="needs the region"):
        application(shared_data=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prepare_command": ["/prepare"], "files": {"/srv/a/b": ""}}, "remove prepare_command, or"),
        (
            {"prepare_command": ["/prepare"], "writable_directories": ["/a"], "disposable_directories": ["/a/b"]},
            "have the application remove its files itself",
        ),
        (
            {"writable_directories": ["/srv/a"], "files": {"/srv/a/b": ""}},
            "must be in directories to which the application does not write, not in /srv/a",
        ),
    ],
)
def test_arguments_that_prepare_cannot_carry_out_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ApplicationArgs(name="own", **changes)


@pytest.mark.parametrize(
    ("directories", "message"),
    [
        (["/srv/data", "/srv-data"], "'/srv-data' and '/srv/data' would be the same volume, srv-data"),
        (["/srv/data", "/srv.data"], "'/srv.data' and '/srv/data' would be the same volume, srv-data"),
        (["/srv/data", "/srv/data/"], "'/srv/data' and '/srv/data/' would be the same volume, srv-data"),
        (["/"], "'/' cannot be a volume"),
        (["srv/data"], "'srv/data' cannot be a volume"),
        (["/srv/a b"], "'/srv/a b' cannot be a volume"),
        (["/" + "x" * 256], "cannot be a volume: write an absolute path"),
    ],
)
def test_directories_without_a_volume_of_their_own_are_refused(directories: list[str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ApplicationArgs(name="own", writable_directories=directories)


def test_the_directory_of_a_file_is_a_volume_of_its_own_too() -> None:
    with pytest.raises(ValidationError, match="'/srv-data' and '/srv/data' would be the same volume"):
        ApplicationArgs(name="own", writable_directories=["/srv/data"], files={"/srv-data/authority.pem": ""})


def test_directories_that_differ_are_volumes_by_their_paths() -> None:
    application = ApplicationArgs(name="own", writable_directories=["/srv/data", "/srv/data2", "/srv_data"])

    assert [volume_name(directory) for directory in application.volume_directories] == [
        "srv-data",
        "srv-data2",
        "srv_data",
    ]


def test_a_release_without_a_schema_is_refused_where_there_is_a_database() -> None:
    with pytest.raises(ValueError, match=r"release 2026\.11\.1 has a database but no declared schema"):
        _containers(schemas=SCHEMAS[:1])
    with pytest.raises(ValueError, match="needs a writable directory"):
        _containers(STATEFUL.model_copy(update={"writable_directories": []}))


def test_the_whole_definition_stays_well_inside_the_limit() -> None:
    """Without the proxy's configuration, which is measured for the real stacks."""
    assert len(json.dumps(_containers(), separators=(",", ":"))) < 28 * 1024


def test_both_containers_log_in_by_iam_from_every_engine() -> None:
    containers = _containers()
    plan = json.loads(_variables(containers["prepare"])["PREPARE_PLAN"])

    assert containers["interface"]["entryPoint"] == ["python3"]
    assert containers["interface"]["command"][:3] == ["-m", "iam_login", "private_log"]
    assert _variables(containers["interface"])["PYTHONPATH"] == "/srv/trust"
    assert plan["database"]["warm_up"][0] == "iam_login"
    assert "/srv/trust" in plan["database"]["paths"]
