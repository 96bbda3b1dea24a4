"""A forked pack refuses, fails and ends as one that is started as the engine does."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from pathlib import Path

import pytest

from preflight.pulumi.analyzer import AnalyzerClient, AnalyzerError
from preflight.pulumi.forked import is_ours
from tests.preflight.pulumi.test_analyzer import resource
from tests.settings.stack_files import ROOT

PACK = ROOT / "policies" / "guardrails"


def started(*, forked: bool) -> AnalyzerClient:
    return AnalyzerClient.start(PACK, stack="test", dry_run=True, forked=forked)


def refusal(*, forked: bool) -> str:
    with started(forked=forked) as pack, pytest.raises(AnalyzerError) as error:
        pack.configure({"no-such-policy": {"enforcementLevel": "mandatory"}})
    return str(error.value)


def test_a_wrong_configuration_is_refused_in_the_same_words() -> None:
    assert refusal(forked=True) == refusal(forked=False)
    assert "no-such-policy" in refusal(forked=True)


def test_both_describe_the_same_policies_and_report_the_same() -> None:
    found: list[object] = []
    bucket = {**resource("open"), "type": "aws:s3/bucketAcl:BucketAcl", "inputs": {"acl": "public-read"}}
    for forked in (True, False):
        with started(forked=forked) as pack:
            found.append((pack.info(), pack.check([bucket])))
    assert found[0] == found[1]
    assert found[0][1], "a public bucket is reported"  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType]


def test_a_pack_that_is_killed_is_named() -> None:
    with started(forked=True) as pack:
        pack.info()
        os.kill(pack.process_id, signal.SIGKILL)
        with pytest.raises(AnalyzerError, match="policy pack guardrails did not answer AnalyzeStack"):
            pack.analyze_stack([resource("one")])


def open_files() -> set[str]:
    """Each by its inode: another thread of the tests may get the number of a file that was closed."""
    found: set[str] = set()
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(one.readlink()))
    return found


def test_a_pack_that_ended_by_itself_leaves_nothing_open() -> None:
    gc.collect()  # what earlier tests left open would be closed in between
    before = open_files()
    with started(forked=True) as pack:
        pack.info()
        os.kill(pack.process_id, signal.SIGKILL)
        with pytest.raises(AnalyzerError):
            pack.analyze_stack([resource("one")])
        opened = open_files() - before
    assert opened
    assert not opened & open_files()


def test_a_stopped_pack_leaves_no_process() -> None:
    pack = started(forked=True)
    pack.info()
    pack.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pack.process_id, 0)


def test_the_pack_has_its_own_folder_and_none_of_the_caller_s_output(capfd: pytest.CaptureFixture[str]) -> None:
    with started(forked=True) as pack:
        pack.info()
        assert Path(f"/proc/{pack.process_id}/cwd").resolve() == PACK
    assert capfd.readouterr() == ("", "")


def test_a_pack_elsewhere_is_started_as_the_engine_does(tmp_path: Path) -> None:
    assert is_ours(PACK)
    assert not is_ours(tmp_path)
