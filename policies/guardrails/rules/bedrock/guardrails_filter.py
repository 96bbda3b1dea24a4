"""A Bedrock guardrail filters every category of harmful content, prompt attacks, credentials and payment data.

A guardrail that is attached but filters nothing looks the same in a list of resources.

The policy checks filter strengths and types; whether a filter's wording suits its users is for review. It does not
check the content of ``topicPolicyConfig`` or of word lists.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown, contains_unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_HARMS = ("HATE", "INSULTS", "MISCONDUCT", "SEXUAL", "VIOLENCE")
_ATTACK = "PROMPT_ATTACK"
_STRENGTHS = ("MEDIUM", "HIGH")
_FILTERS, _ENTITIES = "contentPolicyConfig.filtersConfigs", "sensitiveInformationPolicyConfig.piiEntitiesConfigs"
_ACTIONS = ("BLOCK", "ANONYMIZE")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one guardrail."""
    yield from _filters(resource)
    yield from _entities(resource, [str(name) for name in settings["sensitive"]])


def _filters(resource: Resource) -> Iterator[Finding]:
    found = resource.items(_FILTERS)
    fix = "add a filter for each category of harmful content, and one for PROMPT_ATTACK"
    if isinstance(found, Unknown) or contains_unknown(found):
        yield not_proven(resource, _FILTERS, [_FILTERS], "filters with known values", fix)
        return
    by_type = {str(item.get("type")): item for item in (as_mapping(value) or {} for value in found)}
    for kind in (*_HARMS, _ATTACK):
        path = f"{_FILTERS}[{kind}]"
        if kind not in by_type:
            yield violated(resource, path, "no filter", "MEDIUM or HIGH", fix)
            continue
        # AWS takes an attack's output strength only as NONE: an answer is none.
        for side in ("inputStrength",) if kind == _ATTACK else ("inputStrength", "outputStrength"):
            strength = by_type[kind].get(side)
            if strength not in _STRENGTHS:
                yield violated(resource, f"{path}.{side}", strength, "MEDIUM or HIGH", f"raise {side}")


def _entities(resource: Resource, wanted: list[str]) -> Iterator[Finding]:
    found = resource.items(_ENTITIES)
    fix = "add an entry for each with the action BLOCK or ANONYMIZE"
    if isinstance(found, Unknown) or contains_unknown(found):
        yield not_proven(resource, _ENTITIES, [_ENTITIES], "entries with known values", fix)
        return
    entries = [as_mapping(value) or {} for value in found]
    held = {str(item.get("type")) for item in entries if item.get("action") in _ACTIONS}
    if missing := [name for name in wanted if name not in held]:
        yield violated(resource, _ENTITIES, f"none for {', '.join(missing)}", ", ".join(wanted), fix)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="set a filter of MEDIUM or HIGH for each category, and entries for credentials and payment data",
    types=("bedrock.Guardrail",),
    schema={
        "sensitive": {
            "type": "array",
            "items": {"type": "string"},
            "default": [
                "AWS_ACCESS_KEY",
                "AWS_SECRET_KEY",
                "CREDIT_DEBIT_CARD_NUMBER",
                "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
            ],
            "description": "Bedrock's types of sensitive information that every guardrail blocks or anonymizes.",
        }
    },
)
