"""The ledger of controls is complete, and is what is committed."""

from __future__ import annotations

from pathlib import Path

from policies.guardrails.controls import KINDS, enforced, ledger, markdown, reasons
from policies.guardrails.data_files import fsbp_titles


def test_all_104_controls_are_met_in_exactly_one_way() -> None:
    rows = ledger()
    assert len(rows) == 104
    assert [row.id for row in rows] == list(fsbp_titles())
    assert {row.kind for row in rows} <= set(KINDS)
    assert [row.id for row in rows if not row.how.strip()] == []


def test_every_reason_is_about_a_control_of_the_list() -> None:
    assert set(reasons()) | set(enforced()) == set(fsbp_titles())


def test_a_remark_is_about_an_enforced_control() -> None:
    remarks = {control for control, (kind, _) in reasons().items() if kind == "enforced"}
    assert remarks == set(reasons()) & set(enforced())


def test_the_page_is_up_to_date() -> None:
    assert Path("docs/controls.md").read_text(encoding="utf-8") == markdown()
