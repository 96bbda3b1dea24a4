"""The load balancer's logs: who writes, who reads, and for how long they stay."""

import json

from components.edge import Edge
from preflight.recording.recorder import record
from preflight.sdk.wire import Json
from tests.components.edge_fixtures import ACCOUNT, REGION, edge_args, named, recorded_edge


def test_the_log_bucket_is_closed_encrypted_by_s3_and_emptied() -> None:
    recording = recorded_edge()
    bucket = named(recording, "edge-logs", "aws:s3/bucket:Bucket")

    def inputs(kind: str) -> dict[str, Json]:
        one = named(recording, "edge-logs", f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}").inputs
        return {key: value for key, value in one.items() if key != "bucket"}

    assert bucket.inputs["forceDestroy"] is False
    assert inputs("BucketPublicAccessBlock") == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert inputs("BucketOwnershipControls") == {"rule": {"objectOwnership": "BucketOwnerEnforced"}}
    assert inputs("BucketServerSideEncryptionConfiguration") == {
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    }
    assert inputs("BucketLifecycleConfiguration") == {
        "rules": [
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {},
                "expiration": {"days": 30},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
            }
        ]
    }


def test_logs_are_kept_no_longer_than_asked() -> None:
    recording = record(lambda: Edge("edge", edge_args(access_log_retention_days=7)))
    lifecycle = named(recording, "edge-logs", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")

    assert lifecycle.inputs["rules"][0]["expiration"] == {"days": 7}


def test_load_balancers_of_the_account_write_logs_and_nobody_reads_them_until_named() -> None:
    recording = recorded_edge()
    arn = named(recording, "edge-logs", "aws:s3/bucket:Bucket").outputs["arn"]
    policy = json.loads(named(recording, "edge-logs", "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    delivery, readers, tls = policy["Statement"]

    assert delivery == {
        "Sid": "LogDelivery",
        "Effect": "Allow",
        "Action": ["s3:PutObject"],
        "Principal": {"Service": ["logdelivery.elasticloadbalancing.amazonaws.com"]},
        "Resource": [f"{arn}/{prefix}/AWSLogs/{ACCOUNT}/*" for prefix in ("access", "connection", "health-check")],
        "Condition": {
            "ArnLike": {"aws:SourceArn": [f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/*"]},
        },
    }
    assert readers == {
        "Sid": "OnlyNamedReaders",
        "Effect": "Deny",
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Principal": "*",
        "Resource": [f"{arn}/*"],
    }
    assert tls == {
        "Sid": "OnlyByTls",
        "Effect": "Deny",
        "Action": ["s3:*"],
        "Principal": "*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
    }


def test_the_bucket_is_closed_before_it_has_a_policy() -> None:
    recording = recorded_edge()
    closed = named(recording, "edge-logs", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")

    assert closed.urn in named(recording, "edge-logs", "aws:s3/bucketPolicy:BucketPolicy").dependencies


def test_named_readers_may_read_the_logs() -> None:
    reader = f"arn:aws:iam::{ACCOUNT}:role/on-call"
    recording = record(lambda: Edge("edge", edge_args(log_reader_arns=[reader])))
    policy = json.loads(named(recording, "edge-logs", "aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])

    assert policy["Statement"][1]["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": [reader]}}


def test_the_load_balancer_waits_for_the_permission_to_log() -> None:
    recording = recorded_edge()
    policy = named(recording, "edge-logs", "aws:s3/bucketPolicy:BucketPolicy")

    assert policy.urn in named(recording, "edge-balancer", "aws:lb/loadBalancer:LoadBalancer").dependencies
