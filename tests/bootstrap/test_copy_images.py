"""Copying a release's images with another program, by real child processes and fake registry tools."""

from __future__ import annotations

import hashlib
import json
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.copy_images import COPIED, COULD_NOT_RUN, REFUSED, main
from bootstrap.copy_tools import TOOLS
from releases.manifest import DIRECTORY, load_release

REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
OPTIONS = ["--release", "2026.11.1", "--account", "111122223333", "--region", "eu-west-1"]
TARGETS = {image: f"{REGISTRY}/ai-interface/{image}:release-2026.11.1" for image in ("proxy", "interface", "gateway")}

STAND_IN = """#!{python} -S
import json, os, sys
state = json.load(open({state!r}))
program, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
state["calls"].append([program, *arguments])
names = [a.removeprefix("docker://") for a in arguments if "amazonaws.com" in a or "@sha256:" in a]
target = next(n for n in names if "amazonaws.com" in n)
status = 0
if "copy" in arguments or "create" in arguments:
    source = next(n for n in names if "@sha256:" in n)
    if state["refuses"]:
        sys.stderr.write(state["refuses"])
        status = 1
    else:
        state["tags"][target] = state["arrives"].get(target, state["content"][source])
elif target in state["tags"]:
    manifest = state["tags"][target]
    import hashlib
    digest = "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()
    sys.stdout.write(manifest if "--raw" in arguments else digest + "\\n")
else:
    sys.stderr.write("MANIFEST_UNKNOWN")
    status = 1
json.dump(state, open({state!r}, "w"))
sys.exit(status)
"""


@dataclass
class World:
    """Registries in a file, fake tools that change it, and a manifest with the digests of generated images."""

    directory: Path
    state_file: Path

    @property
    def state(self) -> dict[str, Any]:
        return json.loads(self.state_file.read_text(encoding="utf-8"))

    def change(self, **changes: object) -> None:
        self.state_file.write_text(json.dumps({**self.state, **changes}), encoding="utf-8")

    @property
    def programs(self) -> list[str]:
        """What was called, without arguments other than the sub-command."""
        return [" ".join(call[:2]) for call in self.state["calls"]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    values = yaml.safe_load((DIRECTORY / "2026.11.1.yaml").read_text(encoding="utf-8"))
    content: dict[str, str] = {}
    for image, entry in values["images"].items():
        manifest = f"the manifest of {image}"
        entry["digest"] = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        content[f"{entry['source']}@{entry['digest']}"] = manifest
    (tmp_path / "2026.11.1.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    state_file = tmp_path / "state.json"
    state: dict[str, object] = {"calls": [], "tags": {}, "content": content, "arrives": {}, "refuses": ""}
    state_file.write_text(json.dumps(state), encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return World(tmp_path, state_file)


def install(world: World, *programs: str) -> None:
    """Put stand-ins on the path."""
    for program in programs:
        path = world.directory / "bin" / program
        path.write_text(STAND_IN.format(python=sys.executable, state=str(world.state_file)), encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_copies_every_image_and_its_digest_is_verified(
    world: World, tool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    install(world, tool)
    assert main([*OPTIONS, "--tool", tool], world.directory) == COPIED
    digests = {i: image.digest for i, image in load_release("2026.11.1", world.directory).images.items()}
    assert capsys.readouterr().out.splitlines() == [
        f"{image}: copied to {TARGETS[image]}, digest {digests[image]} verified" for image in TARGETS
    ]
    assert set(world.state["tags"]) == set(TARGETS.values())


def test_a_second_run_copies_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    install(world, "crane")
    main([*OPTIONS, "--tool", "crane"], world.directory)
    world.change(calls=[])
    assert main([*OPTIONS, "--tool", "crane"], world.directory) == COPIED
    assert world.programs == ["crane digest"] * len(TARGETS)
    assert capsys.readouterr().out.count("already") == len(TARGETS)


def test_an_image_that_arrives_with_another_digest_stops_the_copy(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    install(world, "skopeo")
    world.change(arrives={TARGETS["proxy"]: "something else"})
    assert main([*OPTIONS, "--tool", "skopeo"], world.directory) == REFUSED
    message = capsys.readouterr().err
    arrived = hashlib.sha256(b"something else").hexdigest()
    assert message.startswith(
        f"proxy: after the copy, {TARGETS['proxy']} has sha256:{arrived}, but the manifest has sha256:"
    )
    assert "Do not deploy it" in message
    assert TARGETS["interface"] not in world.state["tags"]


def test_a_tag_that_holds_something_else_is_left_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    install(world, "crane")
    world.change(tags={TARGETS["proxy"]: "an older image"})
    assert main([*OPTIONS, "--tool", "crane"], world.directory) == REFUSED
    assert "Released tags are immutable. Write a manifest with a new version." in capsys.readouterr().err
    assert world.programs == ["crane digest"]


def test_a_refused_copy_shows_the_tools_message_and_how_to_log_in(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    install(world, "docker")
    world.change(refuses="401 Unauthorized")
    assert main([*OPTIONS, "--tool", "docker"], world.directory) == REFUSED
    message = capsys.readouterr().err
    assert "401 Unauthorized" in message
    assert (
        "aws ecr get-login-password --region eu-west-1 | "
        f"docker login --username AWS --password-stdin {REGISTRY}" in message
    )


def test_a_dry_run_prints_the_commands_and_runs_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    install(world, "crane")
    images = load_release("2026.11.1").images
    assert main([*OPTIONS, "--tool", "crane", "--dry-run"]) == COPIED
    assert capsys.readouterr().out == "".join(
        f"crane copy {images[image].reference} {TARGETS[image]}\ncrane digest {TARGETS[image]}\n" for image in TARGETS
    )
    assert world.programs == []


def test_the_commands_of_a_named_tool_can_be_seen_where_it_is_not_installed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*OPTIONS, "--dry-run", "--tool", "docker"], world.directory) == COPIED
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"docker buildx imagetools inspect --format '{{{{.Manifest.Digest}}}}' {TARGETS['proxy']}"


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_is_not_installed_is_named_with_the_way_without_one(
    world: World, tool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*OPTIONS, "--tool", tool], world.directory) == REFUSED
    assert capsys.readouterr().err == (
        f"{tool} is not on the PATH: install it, or omit --tool, which needs no program\n"
    )


def test_a_release_without_manifest_could_not_run(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--release", "2026.12.1", *OPTIONS[2:]], world.directory) == COULD_NOT_RUN
    assert "the nearest are 2026.11.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--account", "1111", "'1111' is not an AWS account id of 12 digits"),
        ("--region", "eu-west-1a; rm", "'eu-west-1a; rm' is not an AWS region"),
    ],
)
def test_a_bad_destination_is_refused(option: str, value: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = list(OPTIONS)
    arguments[arguments.index(option) + 1] = value
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == COULD_NOT_RUN
    assert reason in capsys.readouterr().err
