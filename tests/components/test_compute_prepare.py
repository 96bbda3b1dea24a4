"""The prepare script, run as the container runs it, in temporary directories."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.prepare import PLAN_VARIABLE, SCRIPT
from components.task_definition import ALL_CAPABILITIES_BUT_CHOWN

OWNER = [os.getuid(), os.getgid()]
ROOT = os.getuid() == 0
SETPRIV = shutil.which("setpriv")


def _run(plan: object, *, before: tuple[str, ...] = ()) -> tuple[int, list[dict[str, Any]]]:
    text = plan if isinstance(plan, str) else json.dumps(plan)
    done = subprocess.run(  # noqa: S603 - our own script
        [*before, sys.executable, "-I", "-c", SCRIPT],
        env={PLAN_VARIABLE: text},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_directories_are_made_and_belong_to_the_application_alone(tmp_path: Path) -> None:
    data, home = tmp_path / "data", tmp_path / "home" / "app"

    code, lines = _run({"owner": OWNER, "directories": [str(home), str(data)]})

    assert code == 0
    assert [(line["event"], line.get("directory")) for line in lines] == [
        ("prepared", str(data)),
        ("prepared", str(home)),
        ("ready", None),
    ]
    assert [_mode(data), _mode(home)] == [0o700, 0o700]


def test_a_seed_is_copied_with_its_directories_and_private_modes(tmp_path: Path) -> None:
    seed, static = tmp_path / "seed", tmp_path / "static"
    (seed / "fonts").mkdir(parents=True)
    (seed / "favicon.png").write_bytes(b"icon")
    (seed / "fonts" / "a.ttf").write_bytes(b"font")

    code, _ = _run({"owner": OWNER, "directories": [str(static)], "seeds": {str(static): str(seed)}})

    assert code == 0
    assert (static / "fonts" / "a.ttf").read_bytes() == b"font"
    assert [_mode(static / "fonts"), _mode(static / "fonts" / "a.ttf"), _mode(static / "favicon.png")] == [
        0o700,
        0o600,
        0o600,
    ]


def test_a_second_run_keeps_what_is_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    plan = {"owner": OWNER, "directories": [str(data)]}
    _run(plan)
    (data / "webui.db").write_text("kept")

    code, lines = _run(plan)

    assert (code, lines[0]["event"]) == (0, "kept")
    assert (data / "webui.db").read_text() == "kept"


def test_a_symbolic_link_is_never_followed(tmp_path: Path) -> None:
    outside, data = tmp_path / "outside", tmp_path / "data"
    outside.write_text("untouched")
    outside.chmod(0o644)
    data.mkdir()
    (data / "link").symlink_to(outside)

    code, _ = _run({"owner": OWNER, "directories": [str(data)]})

    assert code == 0
    assert _mode(outside) == 0o644


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("", "PREPARE_PLAN is not a plan"),
        ("[]", "PREPARE_PLAN is not a plan"),
        ({"directories": ["/data"]}, "PREPARE_PLAN is not a plan"),
        ({"owner": ["root", 0], "directories": []}, "owner must be two numbers"),
        ({"owner": OWNER, "directories": ["data"]}, "not a plain absolute path"),
        ({"owner": OWNER, "directories": ["/data/../etc"]}, "not a plain absolute path"),
        ({"owner": OWNER, "directories": ["/"]}, "not a plain absolute path"),
        ({"owner": OWNER, "directories": [], "seeds": {"/static": "/app"}}, "does not prepare: /static"),
    ],
)
def test_a_plan_that_cannot_be_meant_stops_the_task_with_one_line(plan: object, reason: str) -> None:
    code, lines = _run(plan)

    assert code == 1
    assert [line["event"] for line in lines] == ["failed"]
    assert reason in lines[0]["reason"]


def test_a_missing_seed_stops_the_task(tmp_path: Path) -> None:
    static = str(tmp_path / "static")

    code, lines = _run({"owner": OWNER, "directories": [static], "seeds": {static: "/no/such/directory"}})

    assert code == 1
    assert "/no/such/directory" in lines[-1]["reason"]


@pytest.mark.skipif(not (ROOT and SETPRIV), reason="dropping capabilities takes root and setpriv")
def test_root_with_chown_alone_hands_over_to_another_user(tmp_path: Path) -> None:
    seed, static, data = tmp_path / "seed", tmp_path / "static", tmp_path / "data"
    (seed / "fonts").mkdir(parents=True)
    (seed / "fonts" / "a.ttf").write_bytes(b"font")
    dropped = ",".join(f"-{name.lower()}" for name in ALL_CAPABILITIES_BUT_CHOWN)
    plan = {"owner": [1000, 1000], "directories": [str(static), str(data)], "seeds": {str(static): str(seed)}}
    without = (str(SETPRIV), f"--bounding-set={dropped}", "--")

    first = _run(plan, before=without)
    again = _run(plan, before=without)

    assert (first[0], again[0]) == (0, 0)
    owners = {path: (path.stat().st_uid, path.stat().st_gid) for path in (data, static, static / "fonts" / "a.ttf")}
    assert set(owners.values()) == {(1000, 1000)}


def test_the_script_is_small_and_needs_the_standard_library_only() -> None:
    imported = {line.split()[1] for line in SCRIPT.splitlines() if line.startswith(("import ", "from "))}

    assert imported <= sys.stdlib_module_names
    assert len(SCRIPT.encode()) < 6 * 1024
