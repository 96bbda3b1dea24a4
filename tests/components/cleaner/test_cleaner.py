"""The cleaner on real directory trees: its functions, and its script as the container runs it."""

from __future__ import annotations

import ast
import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from components import cleaner
from components.applications.presets.open_webui import FILES_FOR_EACH_MESSAGE
from components.cleaner.main import clean
from components.common.aws_limits import EPHEMERAL_GIBIBYTES
from components.monitoring.tasks import DISK_PERCENT
from components.prepare import without_comments
from settings import consistency
from settings.limits import Limits
from settings.sections import Capacity
from tests.settings.stack_files import ROOT

MEBIBYTE = 1024 * 1024
HOUR, MINUTE = 3600, 60
MOUNT, UNMOUNT = shutil.which("mount"), shutil.which("umount")
DISK_MEBIBYTES = 16


def _plan(*directories: Path, **changes: float) -> dict[str, Any]:
    return {**json.loads(cleaner.plan([str(one) for one in directories])), **changes}


def _file(path: Path, age: float, size: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    written = time.time() - age
    os.utime(path, (written, written))
    return path


def _names(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_symlink() or not one.is_dir())


def _percent(number: float) -> Callable[[str], float]:
    """A disk of which always this much is in use."""

    def used(_: str) -> float:
        return number

    return used


def _disk_of(folder: Path, total: int, elsewhere: int = 0) -> Callable[[str], float]:
    """A disk of a size on which only this folder takes space, and so much elsewhere."""

    def used(_: str) -> float:
        return 100 * (elsewhere + sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())) / total

    return used


def _clean(plan: dict[str, Any], used: Callable[[str], float] | None = None) -> tuple[int, int]:
    files, size, _ = clean(plan, time.time(), used or _percent(0))
    return files, size


def test_old_files_go_and_recent_ones_stay(tmp_path: Path) -> None:
    _file(tmp_path / "old", cleaner.KEEP_SECONDS + MINUTE, size=7)
    _file(tmp_path / "below" / "older", 5 * cleaner.KEEP_SECONDS, size=5)
    _file(tmp_path / "recent", cleaner.KEEP_SECONDS - MINUTE)

    assert _clean(_plan(tmp_path)) == (2, 12)
    assert _names(tmp_path) == ["recent"]
    assert (tmp_path / "below").is_dir(), "the application made the directory, and may write there again"


def test_on_a_full_disk_the_oldest_go_until_the_low_mark(tmp_path: Path) -> None:
    for minutes in range(10, 50):
        _file(tmp_path / f"{minutes}", minutes * MINUTE)

    _clean(_plan(tmp_path), _disk_of(tmp_path, total=50))

    assert sorted(map(int, _names(tmp_path))) == list(range(10, 10 + 50 * cleaner.LOW_PERCENT // 100))


def test_at_the_high_mark_nothing_goes(tmp_path: Path) -> None:
    for minutes in range(10, 10 + cleaner.HIGH_PERCENT // 2):
        _file(tmp_path / f"{minutes}", minutes * MINUTE)

    assert _clean(_plan(tmp_path), _disk_of(tmp_path, total=50)) == (0, 0)


def test_a_file_of_the_last_minutes_stays_however_full_the_disk_is(tmp_path: Path) -> None:
    _file(tmp_path / "young", cleaner.SPARE_SECONDS - 10)
    _file(tmp_path / "of the future", -HOUR)
    _file(tmp_path / "not so young", cleaner.SPARE_SECONDS + 10)

    files, _, percent = clean(_plan(tmp_path), time.time(), _disk_of(tmp_path, total=100, elsewhere=99))

    assert (files, percent) == (1, 101)
    assert _names(tmp_path) == ["of the future", "young"]


def test_a_process_that_has_a_removed_file_open_reads_it_to_the_end(tmp_path: Path) -> None:
    file = _file(tmp_path / "read", 2 * HOUR, size=3)
    with file.open("rb") as opened:
        assert _clean(_plan(tmp_path)) == (1, 3)
        assert opened.read() == b"xxx"


def test_nothing_outside_goes_and_no_link_is_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data" / "uploads", tmp_path / "outside"
    _file(outside / "kept", 2 * HOUR)
    _file(tmp_path / "data" / "kept too", 2 * HOUR)
    _file(inside / "gone", 2 * HOUR)
    (inside / "file").symlink_to(outside / "kept")
    (inside / "folder").symlink_to(outside)
    os.link(_file(outside / "linked", 2 * HOUR), inside / "hard")
    os.mkfifo(inside / "pipe")

    _clean(_plan(inside), _percent(99))

    assert _names(outside) == ["kept", "linked"]
    assert (tmp_path / "data" / "kept too").exists()
    assert _names(inside) == ["file", "folder", "pipe"]


def test_a_declared_folder_or_its_parent_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    _file(tmp_path / "elsewhere" / "uploads" / "kept", 2 * HOUR)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "uploads").symlink_to(tmp_path / "elsewhere" / "uploads")
    (tmp_path / "parent").symlink_to(tmp_path / "elsewhere")

    directories = [tmp_path / "data" / "uploads", tmp_path / "parent" / "uploads", tmp_path / "missing"]
    assert _clean(_plan(*directories), _percent(99)) == (0, 0)


@contextlib.contextmanager
def _running(plan: dict[str, Any]) -> Generator[list[dict[str, Any]]]:
    """The script until the block ends; the list gets the lines of its log then."""
    lines: list[dict[str, Any]] = []
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-I", "-c", cleaner.SCRIPT],
        env={cleaner.PLAN_VARIABLE: json.dumps(plan)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield lines
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
        assert process.returncode == 0, "it ends at SIGTERM, or a task would wait for the stop timeout"
        lines += map(json.loads, output.splitlines())
    finally:
        process.kill()
        process.wait()


def _until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_script_removes_and_says_how_much_but_not_what(tmp_path: Path) -> None:
    _file(tmp_path / "the name of a person.pdf", 2 * HOUR, size=1000)
    with _running(_plan(tmp_path, high=100, low=100, every=0.1)) as lines:
        _until(lambda: not _names(tmp_path))
        time.sleep(0.5)

    assert [{**line, "percent": 0} for line in lines] == [
        {"event": "removed", "files": 1, "bytes": 1000, "percent": 0},
    ]


def test_a_disk_that_stays_above_the_mark_is_reported_once(tmp_path: Path) -> None:
    _file(tmp_path / "young", 0)
    with _running(_plan(tmp_path, high=0, low=0, every=0.1)) as lines:
        time.sleep(1)

    assert [(line["event"], line["mark"]) for line in lines] == [("above-mark", 0)]


@contextlib.contextmanager
def _small_disk(folder: Path) -> Generator[Path]:
    """A file system of a few MiB."""
    folder.mkdir()
    size = f"size={DISK_MEBIBYTES}m"
    subprocess.run([str(MOUNT), "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)  # noqa: S603
    try:
        yield folder
    finally:
        subprocess.run([str(UNMOUNT), "--lazy", str(folder)], check=True)  # noqa: S603


def _uploads(folder: Path, count: int) -> int:
    """Write files of 1 MiB, as the application does with uploads. Returns how many failed because the disk was full."""
    failed = 0
    for number in range(count):
        try:
            (folder / f"{number}").write_bytes(b"x" * MEBIBYTE)
        except OSError as problem:
            if problem.errno != errno.ENOSPC:
                raise
            failed += 1
        time.sleep(0.05)
    return failed


@pytest.mark.skipif(os.getuid() != 0 or not MOUNT, reason="a separate disk needs root and mount")
def test_uploads_fill_the_disk_without_it_and_never_with_it(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        assert _uploads(disk, DISK_MEBIBYTES + 8) >= 8

    with _small_disk(tmp_path / "kept") as disk, _running(_plan(disk, every=0.05, spare=0.1)) as lines:
        assert _uploads(disk, 4 * DISK_MEBIBYTES) == 0
    removed = [line for line in lines if line["event"] == "removed"]
    assert sum(line["files"] for line in removed) >= 3 * DISK_MEBIBYTES
    assert max(line["percent"] for line in removed) <= cleaner.HIGH_PERCENT


def test_the_packed_code_is_the_code_beside_it_without_what_only_people_read() -> None:
    source = Path(cleaner.__file__).with_name("main.py").read_text("utf-8")
    imported = {
        line.split()[1].partition(".")[0]
        for line in without_comments(source).splitlines()
        if line.startswith(("import ", "from "))
    }

    assert imported <= sys.stdlib_module_names
    assert ast.dump(_bare(ast.parse(without_comments(source)))) == ast.dump(_bare(ast.parse(source)))
    assert len(cleaner.SCRIPT.encode()) < 4 * 1024


def _bare(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and len(node.body) > 1:
            node.body = [
                one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
            ]
    return tree


def test_the_marks_leave_the_share_that_the_settings_count_on_and_the_alarm_is_above_them() -> None:
    assert cleaner.LOW_PERCENT < cleaner.HIGH_PERCENT < DISK_PERCENT
    assert consistency.FREE_PERCENT == 100 - cleaner.HIGH_PERCENT
    assert cleaner.SPARE_SECONDS < cleaner.KEEP_SECONDS
    assert consistency.UPLOADS_AT_ONCE == FILES_FOR_EACH_MESSAGE


def test_the_sizes_in_the_documentation_follow_from_the_defaults() -> None:
    text = " ".join((ROOT / "docs" / "scaling.md").read_text("utf-8").split())
    disk, upload = Capacity().ephemeral_gibibytes, Limits().upload_mebibytes
    free = {size: size * 1024 * consistency.FREE_PERCENT // 100 for size in (disk, EPHEMERAL_GIBIBYTES[0])}
    arriving = consistency.UPLOADS_AT_ONCE * consistency.BYTES_ON_DISK
    for stated in (
        f"older than {cleaner.KEEP_SECONDS // 60} minutes | removed",
        f"{cleaner.SPARE_SECONDS // 60} to {cleaner.KEEP_SECONDS // 60} minutes old",
        f"more than {cleaner.HIGH_PERCENT} percent full, the oldest first, until it is {cleaner.LOW_PERCENT} percent full",
        f"{consistency.FREE_PERCENT} percent of the disk are free",
        f"{free[disk] // 1024} GiB of {disk}, which is {free[disk] // upload} uploads of {upload} MiB",
        f"or {free[disk] // (upload * consistency.BYTES_ON_DISK)} that arrive in the same moment",
        f"may send {Limits().rates.uploads_per_five_minutes} in five minutes",
        f"{EPHEMERAL_GIBIBYTES[0]} GiB hold ten uploads of {free[EPHEMERAL_GIBIBYTES[0]] // arriving} MiB",
        f"fires at {DISK_PERCENT} percent",
    ):
        assert stated in text
