"""The example of a preset, selected by both stack files of a copy of the project: its own paths are what is served."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.applications import preset_names
from tests.components.own_preset import EXAMPLE, example_preset
from tests.copies import copy_of_project

ROOT = Path(__file__).parents[3]
STACKS = ("prod", "staging")
APPLICATION = example_preset()
HOST = "https://chat.staging.example.com"
MEMBER = ("groups=ai-interface-staging-users", "email=ann@example.com")
SERVED = ("served", None)
UPLOAD = APPLICATION.paths.uploads[0] + "1"
pytestmark = pytest.mark.slow


def preflight(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "preflight", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603


def select(project: Path, application: str) -> None:
    for stack in STACKS:
        path = project / f"Pulumi.{stack}.yaml"
        lines = [line for line in path.read_text("utf-8").splitlines() if "ai-interface:application:" not in line]
        path.write_text("\n".join([*lines, f"  ai-interface:application: {application}", ""]), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one file more, the example, and the key in both stack files."""
    folder = copy_of_project(tmp_path_factory.mktemp("own") / "project")
    shutil.copy(EXAMPLE, folder / "components" / "applications" / "presets")
    select(folder, APPLICATION.name)
    preflight(folder, "shapes", "--write")
    return folder


TRACE = """
import json, sys
from pathlib import Path
from preflight.analysis import tracing
from preflight.commands import console
recorded = console.recorded(Path.cwd(), "staging")
outcomes = [tracing.follow(recorded, tracing.request_of(tracing.Asked(**asked)))[0] for asked in json.load(sys.stdin)]
print(json.dumps([[str(outcome.result.value), outcome.status] for outcome in outcomes]))
"""
"""What ``preflight trace`` does, for many requests of one recording."""


def traced(project: Path, *asked: dict[str, object]) -> list[tuple[str, int | None]]:
    """For each request what answers: ``served``, or ``answered`` and the status."""
    text = json.dumps([{"url": HOST + str(one.pop("path")), **one} for one in asked])
    command = [sys.executable, "-c", TRACE]
    done = subprocess.run(command, cwd=project, input=text, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return [(result, status) for result, status in json.loads(done.stdout)]


def get(path: str, *claims: str) -> dict[str, object]:
    return {"method": "GET", "path": path, "claims": claims}


def post(path: str, body: str) -> dict[str, object]:
    return {"method": "POST", "path": path, "claims": MEMBER, "body": body}


def test_the_project_does_not_ship_it() -> None:
    assert APPLICATION.name not in preset_names()


def test_every_policy_is_proven_with_known_values_and_in_a_first_preview(project: Path) -> None:
    checked = preflight(project, "check")
    assert checked.returncode == 0, checked.stdout
    assert "clean: every policy is proven in every environment" in checked.stdout


def test_aws_accepts_it_and_an_office_can_open_it(project: Path) -> None:
    conformed = preflight(project, "conform")
    assert conformed.returncode == 0, conformed.stdout


def test_trace_follows_its_paths_to_where_its_preset_says(project: Path) -> None:
    scripts, pages = ["/api/notes/1", "/attachments/1", "/live/1", "/assets/a.js"], ["/", "/notes/1"]
    hidden = [APPLICATION.health_path, "/api/admin/users", "/c/1", "/ws/socket.io/"]
    requests = [
        *((get(path), ("answered", 401)) for path in scripts),
        *((get(path), ("answered", 302)) for path in pages),
        *((get(path, *MEMBER), ("answered", 404)) for path in hidden),
        (post(UPLOAD, "20MB"), SERVED),
        (post("/api/notes/1", "20MB"), ("answered", 413)),
        *((get(path, *MEMBER), SERVED) for path in (*scripts, *pages) if not path.startswith("/live/")),
    ]
    found = traced(project, *(dict(request) for request, _ in requests))
    assert list(zip([str(request["path"]) for request, _ in requests], found, strict=True)) == [
        (str(request["path"]), expected) for request, expected in requests
    ]


def test_the_command_says_the_same(project: Path) -> None:
    done = preflight(project, "trace", "staging", "GET", f"{HOST}/notes/1", "--format", "json")
    outcome = json.loads(done.stdout)
    assert (outcome["result"], outcome["status"]) == ("answered", 302)


def test_the_load_balancer_checks_its_health_path_and_its_cookie_is_in_no_log(project: Path) -> None:
    graph = preflight(project, "graph", "staging", "--format", "json").stdout
    resources = {one["urn"].rpartition("::")[2]: one for one in json.loads(graph)["resources"]}
    (group,) = [one for one in resources.values() if one["type"] == "aws:lb/targetGroup:TargetGroup"]
    assert group["inputs"]["healthCheck"]["path"] == APPLICATION.health_path
    (acl,) = [one for one in resources.values() if one["type"] == "aws:wafv2/webAcl:WebAcl"]
    assert APPLICATION.session_cookie_names[0] in json.dumps(acl["inputs"]["dataProtectionConfig"])


def test_a_health_path_that_no_target_group_checks_is_named_with_the_right_fix(project: Path) -> None:
    module = project / "assembly" / "public.py"
    before = module.read_text("utf-8")
    line = "        health_check_path=preset(settings).health_path,\n"
    assert line in before
    try:
        module.write_text(before.replace(line, ""), encoding="utf-8")
        checked = preflight(project, "check", "--stack", "staging")
    finally:
        module.write_text(before, encoding="utf-8")
    assert checked.returncode == 1
    said = " ".join(checked.stdout.split())
    assert "proxy-open-routes-are-health-checks" in said
    assert f"found {APPLICATION.health_path} wanted a health check's path: /health" in said
    assert "fix make it the healthCheck.path of the target group" in said


def test_an_unknown_application_is_refused_with_what_there_is(project: Path) -> None:
    select(project, "note")
    try:
        refused = preflight(project, "check")
    finally:
        select(project, APPLICATION.name)
    assert refused.returncode == 2
    said = refused.stdout + refused.stderr
    assert "ai-interface:application" in said
    assert 'value:   "note"' in said
    names = ", ".join(sorted([*preset_names(), APPLICATION.name]))
    assert f"allowed: a preset in components/applications/presets/: {names}" in said
    assert "fix:     did you mean notes?" in said
