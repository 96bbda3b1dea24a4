"""The prepare script, run as the container runs it, in temporary directories."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import components.prepare
from components.prepare import DATABASE, DATABASE_SCRIPT, PLAN_VARIABLE, SCRIPT, VOLUMES, packed, sources
from components.service.task_definition import ALL_CAPABILITIES_BUT_CHOWN

OWNER = [os.getuid(), os.getgid()]
ROOT = os.getuid() == 0
FOLDER = Path(components.prepare.__file__).parent
SETPRIV = shutil.which("setpriv")


def _run(plan: object, *, before: tuple[str, ...] = (), script: str = SCRIPT) -> tuple[int, list[dict[str, Any]]]:
    text = plan if isinstance(plan, str) else json.dumps(plan)
    done = subprocess.run(  # noqa: S603 - our own script
        [*before, sys.executable, "-I", "-c", script],
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


def test_a_file_is_everybodys_to_read_and_nobodys_to_change(tmp_path: Path) -> None:
    path = tmp_path / "trust" / "database.pem"

    code, lines = _run({"owner": OWNER, "directories": [], "files": {str(path): "certificate\n"}})

    assert (code, lines[0]) == (0, {"event": "written", "file": str(path)})
    assert (path.read_text(), _mode(path), _mode(path.parent)) == ("certificate\n", 0o644, 0o755)


def test_a_plan_with_a_database_says_which_variables_are_missing() -> None:
    code, lines = _run({"owner": OWNER, "directories": [], "database": {"extensions": []}}, script=DATABASE_SCRIPT)

    assert code == 1
    assert lines[-1]["reason"] == (
        "the plan has a database, and these variables are empty: DATABASE_HOST, DATABASE_PORT, DATABASE_NAME, "
        "DATABASE_USER, DATABASE_MASTER_USER, DATABASE_MASTER_PASSWORD"
    )


def test_the_packed_code_is_the_code_beside_it_without_what_only_people_read() -> None:
    """Comments, docstrings and the annotations of functions apart, what runs is what was reviewed."""
    for name, text in sources(DATABASE).items():
        written = ast.parse((FOLDER / f"{name.rpartition('.')[2]}.py").read_text())
        assert ast.dump(_bare(ast.parse(text))) == ast.dump(_bare(written)), name


def test_without_a_database_the_script_needs_the_standard_library_only() -> None:
    imported = {
        line.split()[1].partition(".")[0]
        for text in sources(VOLUMES).values()
        for line in text.splitlines()
        if line.startswith(("import ", "from "))
    }

    assert imported <= sys.stdlib_module_names | {"components"}


def test_scripts_are_small_and_the_same_on_every_machine() -> None:
    assert len(SCRIPT.encode()) < 3 * 1024
    assert len(DATABASE_SCRIPT.encode()) < 10 * 1024
    assert packed(sources(DATABASE)) == DATABASE_SCRIPT


def _bare(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and len(node.body) > 1:
            node.body = [
                one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
            ]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return tree
