"""The rules of office networks: their addresses have separate limits, and their sessions the same as all others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from components.waf.args import FirewallArgs
from components.waf.rules import RATE_WINDOW_SECONDS, Application, firewall_rules
from components.waf.table import CAPACITY_IN_BASE_PRICE, check_table
from tests.components.waf.test_statements import APPLICATION, LIMITS, PAGES, TABLE, in_words

OFFICES = replace(APPLICATION, office_networks="offices")
RATES = replace(
    LIMITS, office_uploads_per_window=1000, office_model_calls_per_window=9000, office_requests_per_window=90_000
)
WINDOW = f"in {RATE_WINDOW_SECONDS} s for one IP of"
NOT_OFFICE, OFFICE = "not LABEL network:office", "LABEL network:office"
COSTLY = "not (LABEL path:upload or LABEL path:model-call)"
CHANGED = {
    "mark-office": "client in offices",
    "rate-uploads-address": f"more than 200 {WINDOW} (LABEL path:upload and {NOT_OFFICE})",
    "rate-model-calls-address": f"more than 6000 {WINDOW} (LABEL path:model-call and {NOT_OFFICE})",
    "rate-pages-address": f"more than 30000 {WINDOW} ({PAGES} and {NOT_OFFICE})",
    "rate-static-address": f"more than 60000 {WINDOW} (LABEL path:static and {NOT_OFFICE})",
    "rate-uploads-office": f"more than 1000 {WINDOW} (LABEL path:upload and {OFFICE})",
    "rate-model-calls-office": f"more than 9000 {WINDOW} (LABEL path:model-call and {OFFICE})",
    "rate-requests-office": f"more than 90000 {WINDOW} ({COSTLY} and {OFFICE})",
}
MOST_RATE_RULES = 10
"""AWS's quota of rate-based rules in one web ACL."""


def _words(application: Application) -> dict[str, str]:
    return {rule.key: in_words(rule.statement) for rule in firewall_rules(RATES, application)}


def test_the_rules_of_the_offices_are_the_only_difference() -> None:
    assert _words(OFFICES) == {**{rule.key: in_words(rule.statement) for rule in TABLE}, **CHANGED}


def test_without_offices_there_is_no_such_rule() -> None:
    assert not [key for key in _words(APPLICATION) if "office" in key]


def test_an_application_without_uploads_model_calls_or_static_files_has_two_limits_left() -> None:
    bare = replace(OFFICES, upload_paths=(), model_call_paths=(), static_paths=())
    rates = {key: text for key, text in _words(bare).items() if key.startswith("rate-")}

    assert rates == {
        "rate-pages-address": f"more than 30000 {WINDOW} {NOT_OFFICE}",
        "rate-requests-office": f"more than 90000 {WINDOW} {OFFICE}",
        "rate-pages-session": "more than 3000 in 300 s for one CUSTOM_KEYS cookie session-0 of every request",
    }


def test_they_fit_into_the_quota_of_rate_rules_and_into_the_base_price() -> None:
    rules = firewall_rules(RATES, OFFICES)

    assert sum("rate_based_statement" in rule.statement for rule in rules) == MOST_RATE_RULES
    assert check_table(rules, CAPACITY_IN_BASE_PRICE) <= CAPACITY_IN_BASE_PRICE
    assert min(abs(a.priority - b.priority) for a in rules for b in rules if a is not b) >= MOST_RATE_RULES


def test_more_blocks_than_the_set_may_have_are_refused() -> None:
    with pytest.raises(ValidationError, match="at most 100 items"):
        FirewallArgs.model_validate({"office_cidr_blocks": [f"198.51.{n}.0/24" for n in range(101)]})
