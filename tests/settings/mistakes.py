"""A table of mistakes in a stack file: the change of the staging file, and the expected message."""

from __future__ import annotations

from dataclasses import dataclass, field

from settings.errors import NOT_SET
from tests.settings.stack_files import REMOVED, Values

EMPTY = "(empty)"
UNKNOWN = "(unknown key)"


@dataclass(frozen=True)
class Row:
    """A change of the staging file and the expected problems: key, value and fix of each."""

    name: str
    changes: Values
    problems: tuple[tuple[str, str, str], ...]
    outside: Values = field(default_factory=dict[str, object])


def row(name: str, changes: Values, *problems: tuple[str, str, str], **outside: object) -> Row:
    """A row of the table; keys of problems are in the project's namespace unless they hold a colon or a space."""
    return Row(name, changes, problems, outside)


FORM = "write a value of the allowed form"
FIXES = {
    "text": "write it as text, in quotes if it could be read as a number",
    "unquote": "write the number without quotes",
    "list": "write it as a list, each value on a separate line that starts with '- '",
    "object": "write its keys below it, indented",
    "empty": "set a value, or remove the key if it is optional",
    "block": "choose a block that does not overlap with a peered network, for example 10.20.0.0/16",
    "release": "write the version of a manifest; image tags and digests do not belong here: the manifest pins each image by digest",
    "person": "write it with the leading @ and in quotes: YAML reserves an unquoted @",
    "account": 'write it in quotes, in a list: aws:allowedAccountIds: ["111122223333"]',
    "region": "write the region to deploy to, for example aws:region: eu-west-1",
}

ROWS = [
    # owner
    row("no owner", {"owner": REMOVED}, ("owner", NOT_SET, "add owner to Pulumi.staging.yaml")),
    row("owner is text", {"owner": "ai-platform"}, ("owner", '"ai-platform"', FIXES["object"])),
    row("owner is empty", {"owner": None}, ("owner", EMPTY, FIXES["empty"])),
    row("team has capitals", {"owner.team": "AI Platform"}, ("owner.team", '"AI Platform"', FORM)),
    row("no contact", {"owner.contact": REMOVED}, ("owner.contact", NOT_SET, "add contact to Pulumi.staging.yaml")),
    row("contact is no address", {"owner.contact": "ops"}, ("owner.contact", '"ops"', FORM)),
    row(
        "on-call page without https",
        {"owner.onCall": "http://a.example.com"},
        ("owner.onCall", '"http://a.example.com"', FORM),
    ),
    row(
        "a recipient of another kind",
        {"owner.subscriptions": [{"kind": "sms", "name": "phone", "severity": "page"}]},
        ("owner.subscriptions[0].kind", '"sms"', "set kind to one of email, https, slack"),
    ),
    row(
        "a pager's URL in place of its secret",
        {
            "owner.subscriptions": [
                {"kind": "https", "name": "pager", "severity": "page", "urlSecret": "https://p.example.com/k"}
            ]
        },
        (
            "owner.subscriptions[0].urlSecret",
            "(not shown: it may be a secret)",
            "put the value into a secret and write only the secret's name or ARN here (the ARN if the name has the form of a key); "
            "if this was the value, it is exposed: issue a new one",
        ),
    ),
    row(
        "two recipients of one name",
        {
            "owner.subscriptions": [
                {"kind": "email", "name": "desk", "severity": severity, "address": "desk@example.com"}
                for severity in ("page", "ticket")
            ]
        },
        ("owner.subscriptions[1].name", "desk", "choose another name"),
    ),
    row("no runbook", {"owner.runbook": REMOVED}, ("owner.runbook", NOT_SET, "add runbook to Pulumi.staging.yaml")),
    row(
        "a section of the runbook",
        {"owner.runbook": "https://a.example.com/runbook#cpu"},
        ("owner.runbook", '"https://a.example.com/runbook#cpu"', FORM),
    ),
    row(
        "runbook too long for an alarm's description",
        {"owner.runbook": f"https://a.example.com/{'x' * 500}"},
        ("owner.runbook", f'"https://a.example.com/{"x" * 57}…"', "shorten it to 512 characters"),
    ),
    row(
        "no release manager",
        {"owner.releaseManagers": []},
        ("owner.releaseManagers", "a list of 0", "write at least 1"),
    ),
    row("one person, not a list", {"owner.modelReviewers": "@a"}, ("owner.modelReviewers", '"@a"', FIXES["list"])),
    row(
        "a person without @",
        {"owner.promptReviewers": ["@example/reviewers", "jane"]},
        ("owner.promptReviewers[1]", '"jane"', FIXES["person"]),
    ),
    # application
    row(
        "a path instead of an application",
        {"application": "presets/notes.py"},
        ("application", '"presets/notes.py"', FORM),
    ),
    # release
    row("no release", {"release": REMOVED}, ("release", NOT_SET, "add release to Pulumi.staging.yaml")),
    row("a tag instead of a release", {"release": "v0.11.4"}, ("release", '"v0.11.4"', FIXES["release"])),
    row("latest", {"release": "latest"}, ("release", '"latest"', FIXES["release"])),
    row("release is a number", {"release": 2026.11}, ("release", "2026.11", FIXES["release"])),
    # keys
    row(
        "a key misspelt at the top",
        {"retentions": {}},
        ("retentions", UNKNOWN, "did you mean retention? Otherwise remove the key"),
    ),
    row(
        "a key misspelt below",
        {"owner.oncall": "x"},
        ("owner.oncall", UNKNOWN, "did you mean onCall? Otherwise remove the key"),
    ),
    row(
        "a key in snake case",
        {"domain.host_name": "a.example.com"},
        ("domain.host_name", UNKNOWN, "did you mean hostName? Otherwise remove the key"),
    ),
    row("a key that nothing is near to", {"owner.zzz": 1}, ("owner.zzz", UNKNOWN, "remove the key")),
    row("the region among our keys", {"region": "eu-west-1"}, ("region", UNKNOWN, "write aws:region instead")),
    # outside the namespace
    row("no region", {}, ("aws:region", NOT_SET, FIXES["region"]), region=None),
    row("a zone for a region", {}, ("aws:region", '"eu-west-1a"', FIXES["region"]), region="eu-west-1a"),
    row("no account", {}, ("aws:allowedAccountIds", NOT_SET, FIXES["account"]), accounts=None),
    row(
        "two accounts",
        {},
        ("aws:allowedAccountIds", "a list of 2", FIXES["account"]),
        accounts=["111122223333", "444455556666"],
    ),
    row(
        "an account without quotes",
        {},
        ("aws:allowedAccountIds", "111122223333", FIXES["account"]),
        accounts=[111122223333],
    ),
    row(
        "a stack's name with capitals",
        {},
        ("stack name", '"Staging"', "rename the stack, for example pulumi stack rename staging"),
        environment="Staging",
    ),
]
