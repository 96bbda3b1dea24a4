"""The record of deployments is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from releases.environments import account_of
from releases.record import FILE, FIX, RecordError, ran, read

ROOT = Path(__file__).resolve().parents[2]
FIRST = "2026.10.1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deployments: [", "is not readable YAML"),
        ("deployments: 3", "has no list named deployments"),
        ("deployments: [x]", "entry 1 is not a mapping"),
        ("deployments: [{environment: prod}]", "entry 1 has no release"),
        (
            "deployments: [{environment: prod, release: latest, at: 2026-11-25T09:00:00Z, account: '111122223333'}]",
            "entry 1: release is 'latest'",
        ),
        (
            "deployments: [{environment: prod, release: 2026.11.1, at: 2026-11-25T09:00:00Z, account: '1', by: me}]",
            "entry 1 has an unknown key by",
        ),
    ],
)
def test_a_record_that_was_tampered_with_says_where(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(RecordError) as caught:
        read(tmp_path)
    assert words in str(caught.value)
    assert FIX in str(caught.value)


def test_a_time_without_quotes_is_a_time(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    entry = "{environment: prod, release: 2026.11.1, at: 2026-11-25T09:00:00Z, account: '111122223333'}"
    (tmp_path / FILE).write_text(f"deployments: [{entry}]", encoding="utf-8")
    assert read(tmp_path)[0].at == "2026-11-25T09:00:00Z"


def test_the_committed_record_has_prods_release_on_staging() -> None:
    account = account_of(ROOT, "staging")
    assert FIRST in ran(read(ROOT), "staging", account)
