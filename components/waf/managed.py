"""AWS's managed rule groups, and those of their rules that must not block user text.

A rule listed here only counts in its group, which adds its label to the request. One of our rules then blocks requests
with that label, except on paths whose bodies, or whose queries, are free text. Size rules only count on every path, because
our own limits replace them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from components.waf.statements import both, labelled, managed_group, negated
from components.waf.table import Action, Rule


class Part(Enum):
    """The part of a request that a managed rule inspects and that may contain text that users wrote."""

    BODY = "body"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Override:
    """A managed rule that only counts in its group."""

    rule: str
    label: str
    reason: str
    key: str = ""
    """The key of our rule that blocks on the label outside free text. Empty: our own limits replace the managed
    rule."""
    part: Part = Part.BODY
    """The part that the rule inspects."""


@dataclass(frozen=True, slots=True)
class Group:
    """A managed rule group and its overrides."""

    key: str
    priority: int
    name: str
    namespace: str
    overrides: tuple[Override, ...] = ()


GROUPS = (
    Group("ip-reputation", 700, "AWSManagedRulesAmazonIpReputationList", "amazon-ip-list"),
    Group(
        "known-bad-inputs",
        710,
        "AWSManagedRulesKnownBadInputsRuleSet",
        "known-bad-inputs",
        (
            Override("Log4JRCE_BODY", "Log4JRCE_Body", "users paste logs that contain ${jndi:…}", "log4j-body"),
            Override(
                "JavaDeserializationRCE_BODY",
                "JavaDeserializationRCE_Body",
                "users paste Java code and stack traces",
                "java-deserialization-body",
            ),
            Override("ReactJSRCE_BODY", "ReactJSRCE_Body", "users paste JavaScript", "react-body"),
            Override(
                "Log4JRCE_QUERYSTRING",
                "Log4JRCE_QueryString",
                "users search for ${jndi:…}",
                "log4j-query",
                Part.QUERY,
            ),
            Override(
                "JavaDeserializationRCE_QUERYSTRING",
                "JavaDeserializationRCE_QueryString",
                "users search for Java class names",
                "java-deserialization-query",
                Part.QUERY,
            ),
        ),
    ),
    Group(
        "core",
        720,
        "AWSManagedRulesCommonRuleSet",
        "core-rule-set",
        (
            Override(
                "GenericLFI_BODY", "GenericLFI_Body", "prompts contain paths such as ../../", "file-inclusion-body"
            ),
            Override("GenericRFI_BODY", "GenericRFI_Body", "prompts contain addresses", "remote-inclusion-body"),
            Override(
                "EC2MetaDataSSRF_BODY", "EC2MetaDataSSRF_Body", "users ask about 169.254.169.254", "metadata-body"
            ),
            Override(
                "CrossSiteScripting_BODY",
                "CrossSiteScripting_Body",
                "prompts and answers contain HTML",
                "scripting-body",
            ),
            Override(
                "GenericLFI_QUERYARGUMENTS",
                "GenericLFI_QueryArguments",
                "users search for ../../",
                "file-inclusion-query",
                Part.QUERY,
            ),
            Override(
                "GenericRFI_QUERYARGUMENTS",
                "GenericRFI_QueryArguments",
                "users search for addresses",
                "remote-inclusion-query",
                Part.QUERY,
            ),
            Override(
                "EC2MetaDataSSRF_QUERYARGUMENTS",
                "EC2MetaDataSSRF_QueryArguments",
                "users search for 169.254.169.254",
                "metadata-query",
                Part.QUERY,
            ),
            Override(
                "CrossSiteScripting_QUERYARGUMENTS",
                "CrossSiteScripting_QueryArguments",
                "users search for HTML",
                "scripting-query",
                Part.QUERY,
            ),
            Override(
                "RestrictedExtensions_QUERYARGUMENTS",
                "RestrictedExtensions_QueryArguments",
                "users search for files such as app.log",
                "extension-query",
                Part.QUERY,
            ),
            Override("SizeRestrictions_BODY", "SizeRestrictions_Body", "8,192 bytes: body-too-large replaces it"),
            Override(
                "SizeRestrictions_Cookie_HEADER",
                "SizeRestrictions_Cookie_Header",
                "10,240 bytes, but a session can have 11 KB: cookies-too-large replaces it",
            ),
            Override(
                "SizeRestrictions_QUERYSTRING",
                "SizeRestrictions_QueryString",
                "2,048 bytes, but a login callback can be longer: query-too-large replaces it",
            ),
            Override("SizeRestrictions_URIPATH", "SizeRestrictions_URIPath", "1,024 bytes: path-too-long replaces it"),
        ),
    ),
)

FIRST_LABEL_PRIORITY = 800


def managed_label(group: Group, override: Override) -> str:
    """The label that AWS's rule adds to a request that it counts."""
    return f"awswaf:managed:aws:{group.namespace}:{override.label}"


def detections() -> list[str]:
    """The labels of counted attack rules, sorted. Labels of size rules are excluded, because ordinary prompts have
    them."""
    return sorted(managed_label(group, override) for group in GROUPS for override in group.overrides if override.key)


def managed_rules(free_text: Mapping[Part, str]) -> list[Rule]:
    """The groups, followed by one of our rules for each override that still blocks outside free text.

    ``free_text`` holds, for each part that may contain it, the label of requests whose part does. AWS's rules about another
    part block in their group.
    """
    counted = {group.key: [one for one in group.overrides if one.part in free_text] for group in GROUPS}
    groups = [
        Rule(
            group.key,
            group.priority,
            managed_group(group.name, [override.rule for override in counted[group.key]]),
            Action.GROUP,
            reason=f"AWS's own {group.namespace}",
        )
        for group in GROUPS
    ]
    blocking = [(group, override) for group in GROUPS for override in counted[group.key] if override.key]
    return groups + [
        Rule(
            override.key,
            FIRST_LABEL_PRIORITY + 10 * index,
            both(labelled(managed_label(group, override)), negated(labelled(free_text[override.part]))),
            Action.BLOCK,
            reason=f"{override.rule} blocks, but not in free text: {override.reason}",
        )
        for index, (group, override) in enumerate(blocking)
    ]
