"""The WAF's log keeps every block and every detection, and no ordinary request."""

from __future__ import annotations

import pytest

from preflight.conform.firewall_log import findings
from preflight.sdk.wire import Wire
from tests.preflight.conform.planted import ACL, LOG, real, rule, shapes, with_change


@pytest.mark.parametrize("index", range(len(shapes())), ids=[str(shape) for shape in shapes()])
def test_the_real_filter_keeps_what_matters_and_drops_marks(index: int) -> None:
    assert findings(real(index)) == []


def conditions(inputs: Wire) -> list[Wire]:
    return inputs["loggingFilter"]["filters"][0]["conditions"]


def said(found: list[str]) -> set[str]:
    return {text.partition("loggingFilter ")[2] for text in found}


@pytest.mark.parametrize("action", ["COUNT", "EXCLUDED_AS_COUNT"])
def test_keeping_every_count_is_found(action: str) -> None:
    def keep(inputs: Wire) -> None:
        conditions(inputs).append({"actionCondition": {"action": action}})

    found = said([finding.headline for finding in findings(with_change(LOG, keep))])

    assert "keeps a match of SizeRestrictions_BODY, which counts" in found
    assert ("keeps a prompt, allowed" in found) is (action == "COUNT")


def test_a_filter_without_blocks_is_found() -> None:
    def lose(inputs: Wire) -> None:
        conditions(inputs)[:] = [c for c in conditions(inputs) if "actionCondition" not in c]

    assert {"drops a block", "drops a block of a marked request"} <= said(
        [finding.headline for finding in findings(with_change(LOG, lose))]
    )


def test_a_filter_that_drops_marks_before_it_keeps_blocks_is_found() -> None:
    def drop_first(inputs: Wire) -> None:
        count = {"actionCondition": {"action": "COUNT"}}
        inputs["loggingFilter"]["filters"].insert(0, {"behavior": "DROP", "requirement": "MEETS_ANY", "conditions": [count]})  # fmt: skip

    assert "drops a block of a marked request" in said(
        [finding.headline for finding in findings(with_change(LOG, drop_first))]
    )


def test_a_detection_that_the_log_drops_is_found() -> None:
    def lose(inputs: Wire) -> None:
        conditions(inputs)[:] = [c for c in conditions(inputs) if "Log4JRCE" not in str(c)]

    assert said([finding.headline for finding in findings(with_change(LOG, lose))]) == {
        "drops a match of Log4JRCE_BODY, which counts",
        "drops a match of Log4JRCE_QUERYSTRING, which counts",
    }


def test_a_rule_that_is_tried_out_without_being_logged_is_found() -> None:
    def count(inputs: Wire) -> None:
        made = rule(inputs, "grpc")
        made |= {"action": {"count": {}}, "ruleLabels": [{"name": "count-only:grpc"}]}

    assert said([finding.headline for finding in findings(with_change(ACL, count))]) == {
        "drops a match of grpc, which only counts"
    }
