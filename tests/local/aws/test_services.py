"""Real clients of AWS, with the task's own credentials server, against the endpoints of both stacks over TLS."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, SSLError  # pyright: ignore[reportMissingTypeStubs] - it has none

from local.authority import Authority
from local.aws.access import ENDPOINT
from local.aws.endpoints import service_of
from local.aws.s3 import BUCKET, EMULATED, actions
from local.task.services import task_definition
from preflight.conform.iam import reference
from tests.local.around import until
from tests.local.aws.world import World, stack, world


def bucket_of(world: World) -> str:
    settings = {one["name"]: one["value"] for one in world.container("interface")["environment"]}
    return str(settings["S3_BUCKET_NAME"])


def error_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value)


def test_an_upload_is_kept_read_listed_and_deleted(served: World, tmp_path: Path) -> None:
    bucket, key, content = bucket_of(served), "a b/ü+c?.txt", bytes(range(256)) * 64
    with served.client("s3", tmp_path) as s3:
        assert s3.put_object(Bucket=bucket, Key=key, Body=content)["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert served.endpoints.buckets.objects(bucket) == {key: content}
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == content
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(content)
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
        upload = s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=1, Body=b"x" * 1000)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(Bucket=bucket, Key="large", UploadId=upload, MultipartUpload=parts)
        assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == b"x" * 1000
        deleted = {"Objects": [{"Key": key}, {"Key": "large"}]}
        assert len(s3.delete_objects(Bucket=bucket, Delete=deleted)["Deleted"]) == 2
    assert served.endpoints.buckets.objects(bucket) == {}
    assert served.refusals.of("s3") == []


def test_what_the_task_may_not_do_with_its_bucket_is_refused_with_the_cause(served: World, tmp_path: Path) -> None:
    bucket = bucket_of(served)
    other = next(str(one["bucket"]) for one in served.stack.all(BUCKET) if one["bucket"] != bucket)
    with served.client("s3", tmp_path) as s3:
        assert f"s3:GetBucketAcl on arn:aws:s3:::{bucket}" in error_of(lambda: s3.get_bucket_acl(Bucket=bucket))
        assert "s3:PutBucketPolicy" in error_of(lambda: s3.put_bucket_policy(Bucket=bucket, Policy="{}"))
        assert "no statement of" in error_of(lambda: s3.put_object(Bucket=other, Key="x", Body=b""))
        acl = error_of(lambda: s3.put_object(Bucket=bucket, Key="x", Body=b"", ACL="public-read"))
        assert re.search(r"AccessControlListNotSupported.*BucketOwnerEnforced", acl)
    assert len(served.refusals.of("s3")) == 4


def test_a_client_that_does_not_trust_the_authority_does_not_connect_and_the_cause_is_kept(tmp_path: Path) -> None:
    with world(stack("prod")) as made:
        made.authority, right = Authority.make(), made.authority
        with made.client("secretsmanager", tmp_path) as client, pytest.raises(SSLError):
            client.get_secret_value(SecretId="any")
        assert right != made.authority

        def named() -> bool:
            causes = made.refusals.of("secretsmanager")
            return any("TLS with 127.0.0.1 failed" in one and "UNKNOWN_CA" in one for one in causes)

        # The server reads the client's alert after the client has raised its own error.
        assert until(10, named), made.refusals.entries


def test_the_task_role_reads_no_secret(served: World, tmp_path: Path) -> None:
    arn = next(iter(served.endpoints.secrets.known))
    with served.client("secretsmanager", tmp_path) as client:
        refused = error_of(lambda: client.get_secret_value(SecretId=arn))
    assert "AccessDeniedException" in refused
    assert "endpoint policy of endpoints-secretsmanager" in refused
    assert str(task_definition(served.stack)["taskRoleArn"]) not in refused.partition("does not apply")[0]


def test_every_action_that_the_twin_asks_for_exists_and_has_its_context() -> None:
    for operation in sorted(EMULATED):
        for versioned in (False, True):
            for action in actions(operation, version=versioned):
                assert reference.find(action), action


def test_every_endpoint_of_the_graph_is_served_and_emulated(served: World) -> None:
    services = {service_of(one) for one in served.stack.all(ENDPOINT)}
    assert services == {"bedrock-runtime", "ecr.api", "ecr.dkr", "logs", "s3", "secretsmanager"}
