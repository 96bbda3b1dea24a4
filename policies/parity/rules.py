"""The list of parity policies: the description of each, and whether the engine or only preflight can check it.

The engine shows a pack one stack at a time. A policy that needs more than that stack and the committed files is checked
only by ``preflight check``, and gives the reason; ``preflight check`` checks all policies.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.guardrails.rule import Level, Rule, Severity

PACK = "ai-interface-parity"
_SHAPES = "run python -m preflight shapes --write, and review the changes to the files"
_BEHAVIOUR = (
    "find the resource that differs in the findings or with preflight trace, and make the environments identical"
)
_DECLARE = "make the environments identical, or declare the difference in policies/parity/differences.yaml"


@dataclass(frozen=True, slots=True)
class ParityRule(Rule):
    """A policy about the environments together."""

    preflight_only: str = ""
    """The reason why the pack cannot check it; empty if the engine and ``preflight check`` both do."""

    @property
    def is_stack(self) -> bool:
        """Every parity policy applies to whole stacks."""
        return True


RESOURCES = ParityRule(
    "environments-have-the-same-resources",
    "All environments have the same resources, except for declared differences.",
    Severity.MEDIUM,
    _DECLARE,
)
PROPERTIES = ParityRule(
    "environments-have-the-same-properties",
    "A resource has the same properties in every environment, except for declared differences.",
    Severity.MEDIUM,
    _DECLARE,
)
ORDER = ParityRule(
    "later-environments-have-no-less",
    "A later environment never has less capacity, retention or redundancy than an earlier one.",
    Severity.MEDIUM,
    "raise the value in the later environment's stack file, or lower it in the earlier one's",
)
DECLARATIONS = ParityRule(
    "declared-differences-are-current",
    "Every declared difference has a reason, an owner and an expiry date, and still matches a difference.",
    Severity.MEDIUM,
    "correct, renew or remove the entry in policies/parity/differences.yaml",
)
UNKNOWN = ParityRule(
    "parity-of-unknown-values",
    "Values that are unknown in a preview are compared once they are known; preflight check compares them before a "
    "preview.",
    Severity.MEDIUM,
    "run preflight check, which compares known values",
    level=Level.ADVISORY,
)
RELEASE_ORDER = ParityRule(
    "releases-pass-the-earlier-environment",
    "A release runs in a later environment only after its deployment to the environment before it is recorded.",
    Severity.MEDIUM,
    "deploy the release to the environment before first",
)
RELEASE_RECORD = ParityRule(
    "recorded-deployments-are-signed",
    "Once a public key is committed for an environment, each of its entries in the record is signed, in order.",
    Severity.HIGH,
    "restore releases/deployed.yaml from git: only the deploy job adds to it",
)
RELEASE_MANIFEST = ParityRule(
    "releases-deliver-their-manifest",
    "Every release has a manifest, and every container runs an image that the manifest pins by digest.",
    Severity.MEDIUM,
    "use the image from the manifest, or create a new release with the other image",
)
SHAPES = ParityRule(
    "committed-shapes-are-current",
    "Each environment's committed shape matches the resources that the program registers now.",
    Severity.MEDIUM,
    _SHAPES,
    preflight_only="the committed files are derived from all environments, and the engine provides only one stack",
)
CONNECTIVITY = ParityRule(
    "environments-are-reached-alike",
    "Every environment has the same paths from the internet and the same destinations.",
    Severity.HIGH,
    _BEHAVIOUR,
    preflight_only="it needs every resource of two environments, and the engine provides only one stack",
)
REQUESTS = ParityRule(
    "requests-end-alike",
    "The same request has the same outcome in every environment.",
    Severity.HIGH,
    _BEHAVIOUR,
    preflight_only="it needs every resource of two environments, and the engine provides only one stack",
)
OWNERS = ParityRule(
    "code-owners-are-current",
    "CODEOWNERS matches the owners in the settings.",
    Severity.MEDIUM,
    "run python -m preflight owners --write",
    preflight_only="it needs the outputs of every stack, and the engine provides only one stack",
)

RULES: tuple[ParityRule, ...] = tuple(
    sorted(
        (
            RESOURCES,
            PROPERTIES,
            ORDER,
            DECLARATIONS,
            UNKNOWN,
            RELEASE_ORDER,
            RELEASE_RECORD,
            RELEASE_MANIFEST,
            SHAPES,
            CONNECTIVITY,
            REQUESTS,
            OWNERS,
        ),
        key=lambda rule: rule.name,
    )
)
IN_THE_PACK: tuple[ParityRule, ...] = tuple(rule for rule in RULES if not rule.preflight_only)
OF_RELEASES = (RELEASE_ORDER, RELEASE_RECORD, RELEASE_MANIFEST)
"""Policies about the stack's release: they need no other environment's committed shape."""
