"""A tag's digest is what the registry sends, checked; anything else is an error and never a digest."""

from __future__ import annotations

import socket

import pytest

from releases.registry import MOST_BYTES, RegistryError, digest_of
from tests.releases.fake_registry import DIGEST, INDEX, registry

HELD = {"ai/proxy:v1.2.3": INDEX}


def test_the_digest_is_that_of_the_manifest_and_an_index_is_asked_for_first() -> None:
    with registry(HELD) as it:
        assert digest_of(f"{it.host}/ai/proxy", "v1.2.3") == DIGEST
        assert it.asked[0][0] == "/v2/ai/proxy/manifests/v1.2.3"
        assert it.asked[0][1].startswith("application/vnd.oci.image.index.v1+json, ")


def test_an_anonymous_token_is_asked_for_where_the_registry_wants_one() -> None:
    with registry(HELD, token="t0k3n") as it:
        assert digest_of(f"{it.host}/ai/proxy", "v1.2.3") == DIGEST
        assert [path.partition("?")[0] for path, _ in it.asked] == [
            "/v2/ai/proxy/manifests/v1.2.3",
            "/token",
            "/v2/ai/proxy/manifests/v1.2.3",
        ]
        assert it.asked[1][0] == "/token?service=it&scope=repository%3Aproxy%3Apull"


def problem(host: str, tag: str = "v1.2.3") -> str:
    with pytest.raises(RegistryError) as caught:
        digest_of(f"{host}/ai/proxy", tag)
    return str(caught.value)


def test_an_unknown_tag_is_said() -> None:
    with registry(HELD) as it:
        assert problem(it.host, "v9") == f"the registry has no {it.host}/ai/proxy:v9"


@pytest.mark.parametrize(
    ("status", "words"), [(403, "does not serve"), (401, "requires a login"), (500, "returned status 500")]
)
def test_a_refusal_is_said(status: int, words: str) -> None:
    with registry(HELD, status=status) as it:
        assert words in problem(it.host)


def test_a_digest_that_is_not_the_manifests_is_not_believed() -> None:
    with registry(HELD, said="sha256:" + "0" * 64) as it:
        assert "but the manifest that it sent has digest" in problem(it.host)


def test_a_redirect_is_not_followed() -> None:
    with registry(HELD) as other, registry(HELD, redirect=f"http://{other.host}/v2/ai/proxy/manifests/v1.2.3") as it:
        assert problem(it.host) == "the registry returned status 307"
        assert other.asked == []


def test_an_endless_answer_is_cut() -> None:
    with registry({"ai/proxy:v1.2.3": "x" * (MOST_BYTES + 1)}) as it:
        assert problem(it.host) == "the registry's response exceeds the maximum size of a manifest"


def test_an_unreachable_registry_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        assert problem(host).startswith(f"{host} cannot be reached: ")
