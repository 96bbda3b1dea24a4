"""A request is taken only as it was signed: by a living session, for this service, region, host, time, path and body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.aws.access import Access
from local.aws.sessions import Credentials, Issuer
from local.aws.signature import SignatureError, Verifier
from local.server import Received
from local.task.services import task_definition
from local.wiring import Node
from tests.local.aws.calls import database_token, received, signed
from tests.local.aws.world import TASK_ID, bootstrap, stack

HOST = "bedrock-runtime.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/openai/v1/chat/completions"
BODY = b'{"model":"m"}'


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(Access(stack("prod"), bootstrap("prod")))


@pytest.fixture
def session(issuer: Issuer) -> Credentials:
    return issuer.assume(str(task_definition(stack("prod"))["taskRoleArn"]), Node("task-1", "10.30.0.4"), TASK_ID)


@pytest.fixture
def verifier(issuer: Issuer) -> Verifier:
    return Verifier(issuer, "bedrock", stack("prod").region, HOST.__eq__)


def question(session: Credentials, **changed: str) -> Received:
    given = {"service": "bedrock", "region": stack("prod").region, "url": URL, **changed}
    return signed(session, given["service"], "POST", given["url"], region=given["region"], body=BODY, X_Own="a  b")


def with_header(request: Received, name: str, value: str) -> Received:
    return replace(request, headers=(*((k, v) for k, v in request.headers if k != name), (name, value)))


def without_header(request: Received, name: str) -> Received:
    return replace(request, headers=tuple((k, v) for k, v in request.headers if k != name))


def test_what_botocore_signs_is_verified(verifier: Verifier, session: Credentials) -> None:
    assert verifier.verify(question(session)) == session
    assert verifier.verify(question(session, url=f"{URL}/a%20b/../c?z=1&a=%C3%A9&a=b%2Bc")) == session


Change = Callable[[Received], Received]
CHANGES: list[tuple[str, Change, str, str]] = [
    ("other body", lambda r: replace(r, body=b"{}"), "SignatureDoesNotMatch", "does not match POST /openai"),
    ("no body", lambda r: replace(r, body=b""), "SignatureDoesNotMatch", "does not match"),
    ("other path", lambda r: replace(r, target="/openai/v1/models"), "SignatureDoesNotMatch", "POST /openai/v1/models"),
    ("other method", lambda r: replace(r, method="PUT"), "SignatureDoesNotMatch", "the method POST, not PUT"),
    ("a port in the host", lambda r: with_header(r, "host", f"{HOST}:443"), "InvalidSignatureException", f"host {HOST}:443"),
    ("other host", lambda r: with_header(r, "host", "other"), "InvalidSignatureException", "host other, which is not bedrock's"),
    ("no signature", lambda r: without_header(r, "authorization"), "MissingAuthenticationTokenException", "not signed"),
    ("a bearer token", lambda r: with_header(r, "authorization", "Bearer x"), "IncompleteSignature", "Bearer"),
    ("no session token", lambda r: without_header(r, "x-amz-security-token"), "UnrecognizedClientException", "is missing"),
    ("other session token", lambda r: with_header(r, "x-amz-security-token", "x"), "UnrecognizedClientException", "not the one"),
    ("other date", lambda r: with_header(r, "x-amz-date", "20200101T000000Z"), "InvalidSignatureException", "for the date"),
    ("body hash", lambda r: with_header(r, "x-amz-content-sha256", "0" * 64), "XAmzContentSHA256Mismatch", "the header contains 0"),
    ("signed header", lambda r: with_header(r, "x-own", "c"), "SignatureDoesNotMatch", "does not match"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code", "cause"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_a_changed_request_is_refused_and_the_cause_names_what_differs(
    verifier: Verifier, session: Credentials, change: Change, code: str, cause: str
) -> None:
    with pytest.raises(SignatureError) as refused:
        verifier.verify(change(question(session)))
    assert (refused.value.code, cause in str(refused.value)) == (code, True), str(refused.value)


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"service": "bedrock-mantle"}, "signed for the service bedrock-mantle instead of bedrock"),
        ({"region": "us-east-1"}, "signed for the region us-east-1 instead of eu-west-1"),
        ({"url": URL.replace("eu-west-1", "us-east-1")}, "host bedrock-runtime.us-east-1.amazonaws.com, which is not"),
    ],
)
def test_another_service_region_or_host_is_refused(
    verifier: Verifier, session: Credentials, changed: dict[str, str], cause: str
) -> None:
    with pytest.raises(SignatureError, match=cause):
        verifier.verify(question(session, **changed))


def test_a_request_of_another_time_is_refused(issuer: Issuer, verifier: Verifier, session: Credentials) -> None:
    request = question(session)
    for minutes, cause in ((6, "ago: valid for 0:05:00"), (-6, "from now")):
        later = replace(verifier, clock=lambda m=minutes: datetime.now(UTC) + timedelta(minutes=m))
        with pytest.raises(SignatureError, match=cause):
            later.verify(request)
    expired = replace(verifier, clock=lambda: session.expires)
    with pytest.raises(SignatureError, match="the session of role workload-task-2e26a5d expired"):
        expired.verify(request)
    with pytest.raises(SignatureError, match="belongs to no session"):
        replace(verifier, issuer=Issuer(issuer.access)).verify(request)


def test_another_secret_key_is_refused(verifier: Verifier, session: Credentials) -> None:
    with pytest.raises(SignatureError, match="the secret key or the signed content differs"):
        verifier.verify(question(replace(session, secret_key="another")))


def test_s3_takes_unsigned_bodies_but_no_unsigned_header(verifier: Verifier, session: Credentials) -> None:
    s3 = replace(verifier, service="s3", hosts="b.s3.eu-west-1.amazonaws.com".__eq__)
    request = signed(
        session, "s3", "PUT", f"https://b.s3.{s3.region}.amazonaws.com/a%20b%2Bc", region=s3.region, body=b"x"
    )
    assert s3.verify(request) == session
    with pytest.raises(SignatureError, match="these headers are not signed: x-amz-acl"):
        s3.verify(with_header(request, "x-amz-acl", "public-read"))
    with pytest.raises(SignatureError, match="S3 requires the header x-amz-content-sha256"):
        s3.verify(without_header(request, "x-amz-content-sha256"))
    with pytest.raises(SignatureError, match="STREAMING-AWS4-HMAC-SHA256-PAYLOAD is not supported by the twin"):
        s3.verify(with_header(request, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"))


def test_a_presigned_request_is_valid_as_long_as_it_says(verifier: Verifier, session: Credentials) -> None:
    place = "database.example.com:5432"
    token = database_token(session, "database.example.com", 5432, "interface", verifier.region)
    login = received("GET", f"https://{token}", {"host": place}, b"")
    rds = replace(verifier, service="rds-db", hosts=place.__eq__)
    assert rds.verify(login) == session
    late = replace(rds, clock=lambda: datetime.now(UTC) + timedelta(minutes=16))
    with pytest.raises(SignatureError, match="valid for 0:15:00"):
        late.verify(login)
    with pytest.raises(SignatureError, match=r"host other:5432, which is not rds-db's"):
        rds.verify(replace(login, headers=(("host", "other:5432"),)))
    with pytest.raises(SignatureError, match="does not match"):
        rds.verify(replace(login, target=login.target.replace("DBUser=interface", "DBUser=master")))
