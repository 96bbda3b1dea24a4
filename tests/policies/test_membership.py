"""Which policies the pack has, and that each is described, configured and tested like the others."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from policies.guardrails.data_files import fsbp_titles
from policies.guardrails.rule import Rule
from policies.guardrails.rules import MODULES, RULES
from preflight.pulumi.analyzer import AnalyzerClient
from tests.policies.cases import ALL
from tests.policies.wire import PACK

_RULES = "policies.guardrails.rules"
# What is known of an endpoint of an unknown type, or of the pack's own files and profile, has tests of its own.
OWN_TABLES = {
    "reachability-every-type-is-modelled",
    "stack-baseline-current",
    "stack-exceptions-current",
    "stack-profile-is-chosen",
}
# Here an unknown is no finding of its own; the tables say why.
NO_UNKNOWN = {
    "vpc-security-group-rules-are-narrow",
    "vpc-network-acl-entries-are-narrow",
    "cloudwatch-service-is-watched",
    "s3-buckets-have-lifecycles",
    "s3-buckets-record-access",
    "iam-roles-share-their-boundary",
    "stack-sensitive-values-are-secret",
    "bedrock-embeddings-pass-no-guardrail",
}


def test_every_module_of_the_folder_is_a_member() -> None:
    rules = Path(PACK, "rules")
    files = {".".join(path.relative_to(rules).with_suffix("").parts) for path in rules.glob("*/*.py")}
    members = {name.removeprefix("policies.guardrails.rules.") for name in MODULES}
    assert members == {file for file in files if not file.endswith("__init__")}
    assert len(RULES) == len(members)


def _imported(source: str, name: str) -> set[str]:
    """The full names of what the module ``name`` imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(name.split(".")[: -node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def _other_rules(source: str, name: str) -> list[str]:
    return sorted(other for other in _imported(source, name) if f"{other}.".startswith(f"{_RULES}."))


@pytest.mark.parametrize(
    "source",
    [
        "from .resource_policies_are_narrow import PATHS",
        "from ..iam.resource_policies_are_narrow import PATHS",
        "from ..iam import resource_policies_are_narrow",
        "from .. import RULES",
        "def f():\n    import policies.guardrails.rules.iam.resource_policies_are_narrow",
    ],
)
def test_an_import_of_another_rule_is_found(source: str) -> None:
    assert _other_rules(source, f"{_RULES}.iam.role_trust_is_narrow") != []


def test_no_rule_imports_another() -> None:
    # What two rules share is a module beside the rules, so that a rule can be removed or replaced by itself.
    sources = {name: Path(importlib.import_module(name).__file__ or "").read_text(encoding="utf-8") for name in MODULES}
    assert all("policies.guardrails.rule.Rule" in _imported(source, name) for name, source in sources.items())
    assert {name: found for name, source in sources.items() if (found := _other_rules(source, name))} == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_is_named_after_its_file(rule: Rule) -> None:
    (name,) = [name for name in MODULES if "-".join(name.split(".")[-2:]).replace("_", "-") == rule.name]
    assert importlib.import_module(name).RULE is rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_says_what_is_right_and_how_to_get_there(rule: Rule) -> None:
    assert rule.description.endswith(".")
    assert len(rule.description) <= 140
    assert rule.remediation
    assert (rule.stack is None) != (rule.resource is None)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_setting_has_a_default_and_a_description(rule: Rule) -> None:
    assert all({"type", "default", "description"} <= set(schema) for schema in rule.schema.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_control_exists(rule: Rule) -> None:
    assert set(rule.controls) <= set(fsbp_titles())


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name not in OWN_TABLES], ids=lambda rule: rule.name)
def test_has_a_table_with_every_outcome(rule: Rule) -> None:
    own = [case for case in ALL if case.policy == rule.name]
    outcomes = {verdict.split()[0] for case in own for verdict in (case.expected or ("compliant",))}
    wanted = {"compliant", "violated", *(() if rule.name in NO_UNKNOWN else ("not",))}
    assert outcomes == wanted
    assert any(case.what.startswith("not applicable") for case in own)


def test_the_readme_names_every_policy() -> None:
    page = Path(PACK, "README.md").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"`{rule.name}`" not in page] == []


def test_no_case_is_about_a_policy_that_does_not_exist() -> None:
    assert {case.policy for case in ALL} <= {rule.name for rule in RULES}


def test_the_running_pack_has_the_same_members(pack: AnalyzerClient) -> None:
    told = {policy.name: (policy.kind, policy.severity) for policy in pack.info().policies}
    assert told == {rule.name: ("stack" if rule.is_stack else "resource", str(rule.severity)) for rule in RULES}
