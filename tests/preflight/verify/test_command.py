"""The command line of ``verify``: both halves, formats, exit codes, waiting, and why it could not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from preflight.__main__ import main
from preflight.verify import command, live
from preflight.verify.stack import StackInCheckout
from preflight.verify.waiting import PAUSE, wait
from tests.preflight.verify.edge import MEMBER, SESSION, Edge, listening
from tests.preflight.verify.faults import Site
from tests.preflight.verify.right_account import World
from tests.settings.stack_files import ROOT

pytestmark = pytest.mark.usefixtures("there")


@pytest.fixture
def there(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials in the environment, and the correct account instead of AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.cloud.url)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv(live.COOKIE, f"{SESSION}={MEMBER}")
    monkeypatch.setattr(live, "PAUSE", 0)

    def recorded(_root: Path, _stack: str) -> StackInCheckout:
        return world.stack

    monkeypatch.setattr(command, "stack_of", recorded)
    with world.kept():
        yield


@pytest.fixture
def edge(site: Site) -> Edge:
    """A correct edge."""
    return site.edge()


def options(site: Site, places: dict[int, tuple[str, int]]) -> list[str]:
    """The options that point the command to the edge."""
    authority = site.folder / "authority.pem"
    authority.write_text(site.certificate.certificate, encoding="utf-8")
    found = ["-C", str(ROOT), "verify", "staging", "--ca", str(authority)]
    for port, (address, other) in sorted(places.items()):
        found += ["--resolve", f"{port}={address}:{other}"]
    return found


def test_a_right_stack_exits_with_0_and_says_the_counts(
    site: Site, edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(edge) as places:
        assert main(options(site, places)) == 0
    said = capsys.readouterr().out
    assert said.startswith("preflight verify staging: account ")
    assert said.splitlines()[-1].endswith(" ok, 0 missing, 0 cannot tell")
    assert MEMBER not in said


def test_a_fault_exits_with_1_in_every_format(
    site: Site, edge: Edge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.without = {"strict-transport-security"}
    file = tmp_path / "verify"
    with listening(edge) as places:
        for form in ("json", "markdown", "junit"):
            line = [*options(site, places), "--only", "requests", "--format", form, "--output", str(file)]
            assert main(line) == 1
            content = file.read_text(encoding="utf-8")
            assert MEMBER not in content
            if form == "json":
                missing = [one["subject"] for one in json.loads(content)["lines"] if one["status"] == "missing"]
                assert missing == ["strict-transport-security over https"]
            elif form == "markdown":
                assert "strict-transport-security" in content.splitlines()[4]
            else:
                cases = Xml.fromstring(content).iter("testcase")  # noqa: S314 - our own output
                failing = [case.get("name") for case in cases if case.find("failure") is not None]
                assert failing == ["strict-transport-security over https"]
    assert capsys.readouterr().out == ""


def test_half_of_it_asks_the_other_half_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(ROOT), "verify", "staging", "--only", "account"]) == 0
    assert "\nrequests\n" not in capsys.readouterr().out
    world.cloud.asked.clear()
    assert main(["-C", str(ROOT), "verify", "staging", "--only", "requests", "--resolve", "443=127.0.0.1:9"]) == 1
    assert world.cloud.asked == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--resolve", "443:127.0.0.1"], "PORT=ADDRESS:PORT"),
        (["--ca", "/nonexistent.pem"], "/nonexistent.pem"),
    ],
)
def test_a_wrong_option_exits_with_2_and_says_what_is_allowed(
    more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(ROOT), "verify", "staging", *more]) == 2
    assert said in capsys.readouterr().err


def test_a_session_that_is_no_header_value_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(live.COOKIE, f"{SESSION}=planted-session\r\nx-user-email: a")
    assert main(["-C", str(ROOT), "verify", "staging"]) == 2
    said = capsys.readouterr().err
    assert live.COOKIE in said
    assert "planted-session" not in said


def test_it_waits_until_the_deployment_has_ended_and_no_longer_than_it_may(world: World) -> None:
    (right,) = [world.context().service]
    states = iter(["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"])

    def describe(_: object) -> dict[str, object]:
        return {"services": [{**right, "deployments": [{**right["deployments"][0], "rolloutState": next(states)}]}]}

    world.cloud.answers["ecs", "DescribeServices"] = describe
    slept: list[float] = []
    wait(world.context, 60, sleep=slept.append, clock=lambda: sum(slept))
    assert slept == [PAUSE, PAUSE]
    states = iter(["IN_PROGRESS"] * 9)
    slept.clear()
    wait(world.context, 60, sleep=slept.append, clock=lambda: sum(slept))
    assert sum(slept) == 60
