"""What is read out of a recorded stack: ingress and egress, the proxy's limits, one request's path, a change, the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policies.guardrails.topology.http.requests import Result
from preflight.analysis import diff, tracing
from preflight.analysis.connectivity import connectivity_of
from preflight.analysis.edge_proxy import configuration, facts
from preflight.analysis.tracing import Asked
from preflight.errors import PreflightError
from preflight.recording.graph import graph, to_recording
from preflight.recording.recorder import Recording
from preflight.review import trace_text
from tests import once
from tests.preflight.sample import sample_project

ROOT = Path(__file__).resolve().parents[3]
HOST = "https://chat.staging.example.com"
PERSON = ("groups=ai-interface-staging-users",)


@pytest.fixture(scope="module")
def staging() -> Recording:
    return once.recordings("staging")["staging", False]


def outcome(recording: Recording, method: str, url: str, **asked: Any) -> str:  # noqa: ANN401 - options of a request
    request = tracing.request_of(Asked(method, url, **asked))
    found, _ = tracing.follow(recording, request)
    return f"{found.result} {found.status or ''}".strip()


def test_there_is_one_ingress_path_and_it_is_guarded_and_proven(staging: Recording) -> None:
    (connectivity,) = connectivity_of({("staging", False): staging}, ["staging"])
    assert tuple(map(str, connectivity.ingress)) == (
        "internet ─443→ firewall ─ edge ─ OIDC ─8443→ proxy ─ interface ─ proxy ─443→ bedrock-runtime",
    )
    assert connectivity.proven
    assert connectivity.egress[0] == "login.example.com:443 (edge)"
    assert "bedrock-runtime" in connectivity.egress[1]


def test_the_proxys_limits_are_read_from_its_own_configuration(staging: Recording) -> None:
    found = facts(configuration(staging))
    assert found.prompt_bytes == 2 * 1024**2
    assert found.upload_bytes == 50 * 1024**2
    assert (found.allowed_claim, found.allowed_values) == ("groups", ("ai-interface-staging-users",))
    assert found.logout_path == "/logout"


def test_a_stack_without_a_proxy_says_so(staging: Recording) -> None:
    rest = [r for r in staging.resources if "taskDefinition" not in r.type]
    with pytest.raises(PreflightError, match="has no task definition with a container 'proxy'"):
        configuration(Recording("shop", "staging", preview=False, resources=rest))


@pytest.mark.parametrize(
    ("method", "url", "asked", "expected"),
    [
        ("GET", f"{HOST}/", {}, "answered 302"),
        ("GET", f"{HOST}/api/config", {}, "answered 401"),
        ("GET", "https://other.example.com/", {}, "answered 404"),
        ("GET", f"{HOST}/api/config", {"claims": PERSON}, "served"),
        ("GET", f"{HOST}/api/config", {"claims": ("groups=others",)}, "answered 403"),
        ("POST", f"{HOST}/api/chat/completions", {"claims": PERSON, "body": "5MB"}, "answered 413"),
        ("GET", "https://chat.staging.example.com:8443/", {}, "dropped"),
    ],
)
def test_a_request_ends_where_it_should(
    staging: Recording, method: str, url: str, asked: dict[str, object], expected: str
) -> None:
    assert outcome(staging, method, url, **asked) == expected


def test_a_trace_shows_each_station_and_the_rule_that_decided(staging: Recording) -> None:
    request = tracing.request_of(Asked("GET", f"{HOST}/api/config"))
    text = trace_text.as_text(trace_text.traced_request(staging, request))
    assert text.splitlines()[0] == f"GET {HOST}/api/config"
    assert re.search(r"1  vpc\.SecurityGroupIngressRule .*: admits 198\.51\.100\.7 to port 443", text)
    assert re.search(r"=>  answered 401 by edge-api-\d", text)


def test_a_proven_outcome_exits_with_0_and_one_that_is_not_with_1(staging: Recording) -> None:
    request = tracing.request_of(Asked("GET", f"{HOST}/"))
    found, _ = tracing.follow(staging, request)
    assert tracing.exit_code(found) == 0
    assert found.result is not Result.NOT_PROVEN


@pytest.mark.parametrize(("text", "size"), [("10", 10), ("2KB", 2048), ("5mb", 5 * 1024**2), ("1GB", 1024**3)])
def test_a_size_may_have_a_unit(text: str, size: int) -> None:
    assert tracing.size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "5XB", "-1", "1.5MB"])
def test_what_is_no_size_is_said(text: str) -> None:
    with pytest.raises(PreflightError, match="is not a size"):
        tracing.size(text)


def test_a_graph_can_be_read_back(staging: Recording) -> None:
    content = json.loads(json.dumps(graph(staging)))
    assert graph(to_recording(content)) == content


def test_no_change_is_said(staging: Recording) -> None:
    assert diff.changes("staging", staging, staging) == ()


def test_an_opened_port_and_new_egress_are_sentences_about_exposure(staging: Recording) -> None:
    content = graph(staging)
    rule = next(r for r in content["resources"] if r["name"] == "edge-https-from-anywhere")
    content["resources"].append({**rule, "urn": rule["urn"] + "-again", "name": "again"})
    after = to_recording(content)
    found = diff.changes("staging", staging, after)
    assert [(c.section, c.text) for c in found] == [("exposure", "vpc.SecurityGroupIngressRule again is added")]


def test_the_base_is_taken_out_of_git_and_run_by_itself(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.fail("git is needed")
    folder = sample_project(tmp_path / "shop")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S603, S607
    (folder / "Pulumi.blue.yaml").write_text("config:\n  aws:region: eu-west-1\n  shop:timeout: 45\n")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "preflight", "-C", str(folder), "diff", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "blue: 1 change since HEAD" in done.stdout
    assert "sqs.Queue jobs.visibilityTimeoutSeconds: 30 → 45" in done.stdout
    assert "green: no change since HEAD" in done.stdout


def test_an_unknown_base_is_said() -> None:
    with (
        pytest.raises(PreflightError, match="git cannot read 'no-such-ref'"),
        diff.recording_base(ROOT, "no-such-ref", ["staging"]),
    ):
        pass


def test_a_base_without_the_project_has_no_recordings(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("The project comes later.\n")
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)  # noqa: S603, S607
    with diff.recording_base(tmp_path, "HEAD", ["blue"]) as recordings:
        assert recordings() == {}
