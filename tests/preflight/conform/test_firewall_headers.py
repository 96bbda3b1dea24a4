"""No decision of the WAF depends on a header that it may not inspect, unless a component behind it decides as well."""

from __future__ import annotations

from typing import Any

import pytest

from preflight.conform.firewall_headers import findings
from preflight.sdk.wire import Wire
from tests.preflight.conform.planted import ACL, add_rule, real, rule, shapes, with_change

NONE = [{"priority": 0, "type": "NONE"}]


def sized(header: str, operator: str, limit: int) -> dict[str, Any]:
    field = {"singleHeader": {"name": header}}
    body = {"comparisonOperator": operator, "size": limit, "fieldToMatch": field, "textTransformations": NONE}
    return {"sizeConstraintStatement": body}


def blocking(name: str, statement: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "priority": 335, "action": {"block": {}}, "statement": statement}


@pytest.mark.parametrize("index", range(len(shapes())), ids=[str(shape) for shape in shapes()])
def test_the_real_web_acl_decides_the_same_with_any_headers_before_a_header(index: int) -> None:
    assert findings(real(index)) == []


def test_a_rule_that_asks_for_a_length_is_found() -> None:
    sending: dict[str, Any] = {"regexMatchStatement": {"regexString": "^(POST|PUT|PATCH)$", "fieldToMatch": {"method": {}}, "textTransformations": NONE}}  # fmt: skip
    absent = {"notStatement": {"statement": sized("content-length", "GE", 0)}}
    made = blocking("length-missing", {"andStatement": {"statements": [sending, absent]}})

    found = findings(with_change(ACL, lambda inputs: add_rule(inputs, made)))

    assert {"a prompt", "an upload", "a change"} == {f.headline.split("blocks ")[1].split(" behind")[0] for f in found}
    assert any("behind large cookies" in finding.headline for finding in found)
    assert any("behind 205 small headers" in finding.headline for finding in found)
    assert all("(length-missing)" in finding.headline for finding in found)


def test_a_rule_that_takes_a_length_cut_short_for_a_malformed_one_is_found() -> None:
    def put_back(inputs: Wire) -> None:
        present, well_formed = rule(inputs, "length-malformed")["statement"]["andStatement"]["statements"]
        assert "sizeConstraintStatement" in present
        well_formed["notStatement"]["statement"]["regexMatchStatement"]["regexString"] = "^[0-9]{1,12}$"

    found = findings(with_change(ACL, put_back))

    assert found
    assert all("behind cookies that leave" in finding.headline for finding in found)


def test_a_rule_that_blocks_what_it_cannot_see_is_found() -> None:
    field: dict[str, Any] = {
        "headers": [{"matchPattern": {"all": {}}, "matchScope": "KEY", "oversizeHandling": "MATCH"}]
    }
    statement: dict[str, Any] = {"byteMatchStatement": {"searchString": "x-bad", "positionalConstraint": "STARTS_WITH", "fieldToMatch": field, "textTransformations": NONE}}  # fmt: skip

    found = findings(with_change(ACL, lambda inputs: add_rule(inputs, blocking("bad", statement))))

    assert {finding.found for finding in found} == {"status 403"}


def test_the_mark_of_unseen_headers_made_to_block_is_found() -> None:
    def block(inputs: Wire) -> None:
        rule(inputs, "headers-beyond-window")["action"] = {"block": {}}

    assert any("blocks a page behind large cookies" in f.headline for f in findings(with_change(ACL, block)))


def test_a_header_that_the_firewall_alone_keeps_out_is_found() -> None:
    made = blocking("debug", sized("x-debug-user", "GE", 0))

    (finding,) = findings(with_change(ACL, lambda inputs: add_rule(inputs, made)))
    assert "does not block x-debug-user behind large cookies (debug)" in finding.headline
