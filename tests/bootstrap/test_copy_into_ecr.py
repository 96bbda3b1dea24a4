"""What ECR and AWS answer during a copy, what a dry run prints, and where the values come from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.copy_images import COPIED, COULD_NOT_RUN, main, repository_name
from bootstrap.image_manifests import IMAGES as IMAGE_TYPES
from bootstrap.image_manifests import INDEXES, parse, sha256
from bootstrap.image_repository import OPERATIONS, CopyError
from tests.bootstrap.copy_world import ACCOUNT, REGION, STACK, STACK_FILE, TAG, VERSION, World
from tests.bootstrap.ecr import LEAST_PART
from tests.bootstrap.publisher import PLATFORMS, picture
from tests.preflight.account.loopback import Asked, Cloud, Refusal, Result

PROXY = repository_name("proxy")
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{PROXY}"


@pytest.mark.parametrize(
    ("operation", "code", "expected"),
    [
        (
            "BatchGetImage",
            "RepositoryNotFoundException",
            f"{HOST} does not exist.\nThe bootstrap stack creates it: run pulumi up in bootstrap/",
        ),
        (
            "BatchGetImage",
            "ExpiredTokenException",
            "AWS does not accept the credentials (ExpiredTokenException).\nLog in",
        ),
        ("UploadLayerPart", "ExpiredTokenException", "run the command again: what was copied is skipped"),
        (
            "InitiateLayerUpload",
            "AccessDeniedException",
            f"{HOST}: refused by the test\nA copy needs these permissions on the repository: "
            "ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:CompleteLayerUpload, ecr:InitiateLayerUpload, "
            "ecr:PutImage, ecr:UploadLayerPart.",
        ),
        ("CompleteLayerUpload", "InvalidLayerException", "complete_layer_upload returned InvalidLayerException"),
        ("PutImage", "KmsException", "put_image returned KmsException: refused by the test"),
        ("UploadLayerPart", "InvalidLayerPartException", "upload_layer_part returned InvalidLayerPartException"),
    ],
)
def test_a_refusal_of_ecr_is_explained(
    world: World, operation: str, code: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ecr.refuse(operation, code)
    assert expected in world.refused(capsys)
    assert TAG not in {tag for _, _, tags in world.ecr.manifests(PROXY).values() for tag in tags}


def test_a_layer_that_another_copy_completes_first_is_there(world: World) -> None:
    forward: Any = world.ecr.cloud.answers["ecr", "CompleteLayerUpload"]
    refused: list[Result] = []

    def answer(asked: Asked) -> Result:
        held = world.ecr.repository(asked.parameters["repositoryName"])
        held.layers[asked.parameters["layerDigests"][0]] = len(held.uploads[asked.parameters["uploadId"]].layer_parts)
        refused.append(forward(asked))
        return refused[-1]

    world.ecr.cloud.answers["ecr", "CompleteLayerUpload"] = answer
    assert world.copy() == COPIED
    assert world.complete("proxy")
    assert set(refused) == {Refusal("LayerAlreadyExistsException")}


def test_a_part_whose_answer_was_lost_is_not_sent_as_a_new_one(world: World) -> None:
    world.replace("proxy", picture("large", largest=2 * LEAST_PART + 1))
    forward: Any = world.ecr.cloud.answers["ecr", "UploadLayerPart"]
    lost: list[int] = []

    def answer(asked: Asked) -> Result:
        """The second part of the large layer arrives, the answer does not, and the SDK has sent it once more."""
        found, wanted = forward(asked), asked.parameters
        if found is None and wanted["partFirstByte"] == LEAST_PART and not lost:
            lost.append(wanted["partLastByte"])
            upload = world.ecr.repository(PROXY).uploads[wanted["uploadId"]]
            upload.layer_parts += world.ecr.content(asked)
            return 400, {"__type": "InvalidLayerPartException", "lastValidByteReceived": lost[0]}
        return found

    world.ecr.cloud.answers["ecr", "UploadLayerPart"] = answer
    assert world.copy() == COPIED
    assert lost == [2 * LEAST_PART - 1]
    assert world.complete("proxy")


def test_an_image_that_did_not_arrive_is_not_reported_as_copied(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """ECR answers that the manifest exists, but it does not."""
    below = len(world.pictures["proxy"].manifests) - 1
    forward: Any = world.ecr.cloud.answers["ecr", "PutImage"]

    def answer(asked: Asked) -> Result:
        if "imageTag" in asked.parameters:
            world.ecr.refuse("PutImage", "ImageAlreadyExistsException")
        return forward(asked)

    world.ecr.cloud.answers["ecr", "PutImage"] = answer
    assert f"proxy: after the copy, {HOST}:{TAG} has no digest" in world.refused(capsys)
    assert len(world.ecr.manifests(PROXY)) == below


def test_a_released_tag_with_another_image_is_left_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.copy()
    before = world.ecr.manifests(PROXY)
    world.replace("proxy", picture("another"))
    assert f"proxy: {HOST}:{TAG} already exists with sha256:" in world.refused(capsys)
    assert world.ecr.manifests(PROXY) == before


def test_credentials_of_another_account_are_refused_before_anything_is_sent(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "9" * 12
    cloud: Cloud = world.ecr.cloud
    cloud.answers["sts", "GetCallerIdentity"] = lambda _: {"Account": other, "Arn": "a", "UserId": "u"}
    assert f"the AWS credentials are of account {other}, but the images belong into account {ACCOUNT}" in world.refused(
        capsys
    )
    assert world.ecr.operations == []
    assert world.publisher.asked == []


def test_without_credentials_the_copy_is_refused_and_a_dry_run_says_what_it_does_not_know(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(world.root / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "no AWS credentials were found.\nLog in again, for example with aws sso login" in world.refused(capsys)
    assert world.copy("--dry-run") == COPIED
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "proxy: what the repository has is not known: no AWS credentials were found"
    assert len(lines) == 3 * len(world.pictures)


def test_a_profile_that_does_not_exist_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    assert "nowhere" in (message := world.refused(capsys))
    assert "correct AWS_PROFILE" in message


def test_a_dry_run_prints_platforms_and_sizes_and_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.copy("--dry-run") == COPIED
    proxy = world.pictures["proxy"]
    amount = f"{len(proxy.blobs)} blobs, {sum(map(len, proxy.blobs.values())) / 1024:.1f} KiB"
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"proxy: {world.publisher.host}/them/proxy@{proxy.digest} to {HOST}:{TAG}",
        f"proxy: {', '.join(f'linux/{one}' for one in PLATFORMS)}; {amount}",
        f"proxy: to copy: {amount}",
    ]
    assert set(world.ecr.operations) == {"BatchCheckLayerAvailability", "BatchGetImage"}
    assert not any(path.startswith("/storage/") for path, _, _ in world.publisher.asked)
    world.copy()
    capsys.readouterr()
    world.copy("--dry-run")
    expected = f"proxy: nothing to copy, {HOST}:{TAG} already has {proxy.digest}"
    assert capsys.readouterr().out.splitlines()[2] == expected


def test_the_calls_of_a_copy_are_exactly_the_declared_ones(world: World) -> None:
    assert world.copy() == COPIED
    called = {name.lower() for name in world.ecr.operations}
    assert called == {operation.replace("_", "") for operation in OPERATIONS}
    others = {(asked.service, asked.operation) for asked in world.ecr.cloud.asked if asked.service != "ecr"}
    assert others == {("sts", "GetCallerIdentity")}


# -- the stack file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("eu-west-1", "nowhere"), f"{STACK_FILE}: aws:region is not an AWS region\n\ncorrect it, or pass --region"),
        (("aws:allowedAccountIds", "aws:x"), f"{STACK_FILE}: aws:allowedAccountIds is not an AWS account id of 12"),
        (("ai-interface:release:", "ai-interface:x:"), f"{STACK_FILE} has no release"),
        ((VERSION, "2020.1.1"), "the nearest are"),
    ],
)
def test_a_stack_file_without_a_value_is_named(
    world: World, change: tuple[str, str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = world.root / STACK_FILE
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    assert world.copy() == COULD_NOT_RUN
    assert expected in capsys.readouterr().err


def test_a_stack_that_does_not_exist_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "qa"], world.root / "releases") == COULD_NOT_RUN
    assert "there is no stack file Pulumi.qa.yaml" in capsys.readouterr().err


def test_options_replace_the_values_of_the_stack_file(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.copy("--dry-run", "--account", "9" * 12, "--tool", "crane") == COPIED
    assert f"{'9' * 12}.dkr.ecr.{REGION}.amazonaws.com/{PROXY}:{TAG}" in capsys.readouterr().out
    assert world.copy("--release", "2020.1.1") == COULD_NOT_RUN


def test_without_a_stack_the_three_values_are_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--release", VERSION])
    assert "the following arguments are required: --account, --region" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--stack", f"../{STACK}"])
    assert "is not the name of a stack" in capsys.readouterr().err


# -- manifests ---------------------------------------------------------------------------------------------------------

BLOB = {"digest": f"sha256:{'0' * 64}", "size": 1}
WRONG: list[object] = [
    [],
    {"mediaType": INDEXES[0]},
    {"mediaType": INDEXES[0], "manifests": [{**BLOB, "size": -1}]},
    {"mediaType": INDEXES[0], "manifests": [{**BLOB, "digest": "sha256:../../x"}]},
    {"mediaType": INDEXES[0], "manifests": [{**BLOB, "size": "1"}]},
    {"mediaType": IMAGE_TYPES[0], "layers": []},
    {"mediaType": IMAGE_TYPES[0], "config": BLOB, "layers": [1]},
    {"mediaType": IMAGE_TYPES[0], "config": BLOB, "layers": [{**BLOB, "platform": 1}]},
]


@pytest.mark.parametrize("content", WRONG, ids=json.dumps)
def test_what_is_not_a_manifest_is_refused(content: object) -> None:
    body = json.dumps(content).encode()
    with pytest.raises(CopyError, match=r"is not a valid manifest of an image or index"):
        parse(body, "", sha256(body))


@pytest.mark.parametrize("body", [b"\xff", b"{", b"[" * 100_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(CopyError, match=r"is not a valid manifest of an image or index"):
        parse(body, "", sha256(body))


def test_an_old_format_is_refused_and_a_manifest_without_its_media_type_has_that_of_the_answer() -> None:
    body = json.dumps({"config": BLOB, "layers": [BLOB]}).encode()
    old = "application/vnd.docker.distribution.manifest.v1+json"
    with pytest.raises(CopyError, match=r"has media type application/vnd\.docker\.distribution\.manifest\.v1\+json"):
        parse(body, old, sha256(body))
    assert parse(body, f"{IMAGE_TYPES[0]}; charset=utf-8", sha256(body)).media_type == IMAGE_TYPES[0]
