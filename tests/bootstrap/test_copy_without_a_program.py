"""Copying a release's images with Python alone, from a publisher's registry with its faults."""

from __future__ import annotations

import pytest

from bootstrap.copy_images import COPIED
from bootstrap.image_source import ATTEMPTS
from tests.bootstrap.copy_world import TAG, VERSION, World
from tests.bootstrap.ecr import LEAST_PART
from tests.bootstrap.publisher import PLATFORMS, TOKEN, Fault, picture


def test_every_image_arrives_byte_for_byte_with_every_platform(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.copy() == COPIED
    assert {image: world.complete(image) for image in world.pictures} == dict.fromkeys(world.pictures, True)
    said = capsys.readouterr().out.splitlines()
    proxy = world.pictures["proxy"]
    count, size = len(proxy.blobs), sum(map(len, proxy.blobs.values()))
    amount = f"{count} blobs, {size / 1024:.1f} KiB"
    assert said[0] == f"proxy: {', '.join(f'linux/{one}' for one in PLATFORMS)}; {amount}; to copy: {amount}"
    assert said[count].startswith(f"proxy: {count} of {count}: sha256:")
    assert said[count + 1].endswith(f"ai-interface/proxy:{TAG}, digest {proxy.digest} verified")


def test_an_image_that_is_there_is_not_asked_for_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.copy()
    world.publisher.asked.clear()
    world.ecr.cloud.asked.clear()
    capsys.readouterr()
    assert world.copy() == COPIED
    assert world.publisher.asked == []
    assert world.ecr.operations == ["BatchGetImage"] * len(world.pictures)
    assert capsys.readouterr().out.count("already has") == len(world.pictures)


def test_a_second_run_continues_an_interrupted_one(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    proxy = world.pictures["proxy"]
    last = list(proxy.blobs)[-1]
    world.publisher.faults[last] = [Fault(status=404)]
    message = world.refused(capsys)
    assert f"them/proxy@{last}: the registry does not have it" in message
    assert world.held("proxy") == {}
    world.publisher.asked.clear()
    assert world.copy() == COPIED
    assert world.complete("proxy")
    assert {digest: world.publisher.times(digest) for digest in proxy.blobs} == {
        digest: int(digest == last) for digest in proxy.blobs
    }
    assert (
        f"to copy: 1 blob, {len(proxy.blobs[last])} bytes, {len(proxy.blobs) - 1} already there"
        in capsys.readouterr().out
    )


def test_an_image_without_its_tag_gets_it(world: World) -> None:
    world.copy()
    held = world.ecr.repository("ai-interface/proxy").images
    next(image for image in held if image.image_tags).image_tags.clear()
    world.ecr.cloud.asked.clear()
    assert world.copy() == COPIED
    assert world.complete("proxy")
    assert world.ecr.operations.count("PutImage") == 1
    assert "UploadLayerPart" not in world.ecr.operations


def test_a_layer_is_sent_in_parts_of_the_size_that_ecr_wants(world: World) -> None:
    large = picture("large", largest=2 * LEAST_PART + 1234)
    world.replace("proxy", large)
    assert world.copy() == COPIED
    assert world.complete("proxy")
    assert [LEAST_PART, LEAST_PART, 1234] in world.ecr.parts.values()


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_a_download_that_breaks_off_is_continued(
    world: World, monkeypatch: pytest.MonkeyPatch, *, ranges: bool
) -> None:
    monkeypatch.setattr("bootstrap.image_source.CHUNK_BYTES", 100)
    layer = world.pictures["interface"].layers[0]
    world.publisher.ranges = ranges
    world.publisher.faults[layer] = [Fault(after=1000), Fault(after=500), Fault(status=503)]
    assert world.copy() == COPIED
    assert world.complete("interface")
    starts = [wanted for path, _, wanted in world.publisher.asked if path.startswith(f"/storage/{layer}")]
    continued = 1500 if ranges else 1000
    assert starts == ["", "bytes=1000-", f"bytes={continued}-", f"bytes={continued}-"]


def test_a_download_that_always_breaks_off_fails_after_so_many_attempts(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = world.pictures["proxy"].layers[0]
    world.publisher.faults[layer] = [Fault(after=0)] * 2 * ATTEMPTS
    size = len(world.pictures["proxy"].blobs[layer])
    assert f"{layer} broke off after 0 of {size} bytes, {ATTEMPTS} times" in world.refused(capsys)
    assert world.publisher.times(layer) == ATTEMPTS


def test_bytes_with_another_digest_never_become_a_layer(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    layer = world.pictures["proxy"].layers[0]
    size = len(world.pictures["proxy"].blobs[layer])
    world.publisher.faults[layer] = [Fault(body=b"x" * size)]
    message = world.refused(capsys)
    assert f"the source sent {size} bytes with digest sha256:" in message
    assert f"for {layer} of {size} bytes; they were not stored as a layer" in message
    assert layer not in world.ecr.repository("ai-interface/proxy").layers
    assert world.held("proxy") == {}


def test_a_layer_larger_than_its_manifest_says_is_not_read_on(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    layer = world.pictures["proxy"].layers[0]
    world.publisher.faults[layer] = [Fault(body=b"x" * 5000)]
    size = len(world.pictures["proxy"].blobs[layer])
    assert f"{layer} has more than the {size} bytes of its manifest" in world.refused(capsys)


def test_a_manifest_with_another_digest_is_not_copied(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for digest, (_, body) in world.pictures["proxy"].manifests.items():
        world.publisher.faults[digest] = [Fault(body=body.rstrip())]
        assert f"for {digest}: the image was not copied" in world.refused(capsys)
        assert world.held("proxy") == {}


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
@pytest.mark.parametrize("status", [429, 503])
def test_a_temporary_refusal_is_waited_out(world: World, status: int, times: int) -> None:
    index = world.pictures["proxy"].digest
    world.publisher.faults[index] = [Fault(status, headers=(("Retry-After", "1"),))] * times
    assert world.copy() == COPIED
    assert world.complete("proxy")


@pytest.mark.parametrize(
    ("status", "attempts", "expected"),
    [
        (404, 1, "the registry does not have it"),
        (
            403,
            1,
            "does not serve it without a login (status 403).\nLog in to the registry with crane, skopeo or docker",
        ),
        (429, ATTEMPTS, f"rate limit is reached (status 429, {ATTEMPTS} times). Docker Hub counts anonymous downloads"),
        (502, ATTEMPTS, "the registry returned status 502"),
        (418, 1, "the registry returned status 418"),
    ],
)
def test_a_refusal_of_the_registry_is_explained(
    world: World, status: int, attempts: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    index = world.pictures["proxy"].digest
    world.publisher.faults[index] = [Fault(status)] * 2 * ATTEMPTS
    assert expected in world.refused(capsys)
    # The first request has no token, and is answered with where to get one.
    assert sum(index in path for path, _, _ in world.publisher.asked) == attempts + 1


def test_a_registry_that_gives_no_token_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.publisher.faults["token"] = [Fault(403)]
    assert f"{world.publisher.host}/them/proxy: no anonymous token" in world.refused(capsys)


def test_an_unreachable_registry_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    path = world.root / "releases" / f"{VERSION}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(world.publisher.host, "127.0.0.1:9"), encoding="utf-8")
    message = world.refused(capsys)
    assert "127.0.0.1:9/them/proxy: 127.0.0.1 did not answer: NewConnectionError" in message
    assert "HTTPS_PROXY" in message


@pytest.mark.parametrize("machine", ["127.0.0.1", "elsewhere.example.org"])
def test_the_token_is_sent_to_the_registry_alone_and_no_password_of_a_netrc_replaces_it(
    world: World, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    netrc = world.root / "netrc"
    netrc.write_text(f"machine {machine} login someone password theirs\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert world.copy() == COPIED
    sent = {path.split("/")[1].partition("?")[0]: set[str]() for path, _, _ in world.publisher.asked}
    for path, credentials, _ in world.publisher.asked:
        sent[path.split("/")[1].partition("?")[0]].add(credentials)
    assert sent["v2"] == {"", f"Bearer {TOKEN}"}
    assert sent["token"] == {""}
    assert not any("Bearer" in credentials for credentials in sent["storage"])
