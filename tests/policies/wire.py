"""Small resources in the form in which they travel, and the pack's answers about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.guardrails.topology.graph.values import Value, listed
from preflight.pulumi.analyzer import AnalyzerClient, Diagnostic

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
PACK = "policies/guardrails"


def secret(value: Value) -> dict[str, Any]:
    """A value with Pulumi's mark of a secret."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


def token(kind: str) -> str:
    """``lb.Listener`` as the provider writes it: ``aws:lb/listener:Listener``."""
    module, _, name = kind.partition(".")
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


def r(kind: str, logical: str = "x", /, **properties: Value) -> dict[str, Any]:
    """A resource with these inputs. ``needs={"kmsKeyId": other}`` makes a property depend on another resource."""
    needs: Mapping[str, Any] = properties.pop("needs", {})
    urn = f"urn:pulumi:test::project::{token(kind)}::{logical}"
    dependencies: dict[str, tuple[str, ...]] = {
        key: tuple(str(item["urn"]) for item in listed(value)) for key, value in needs.items()
    }
    return {
        "urn": urn,
        "type": token(kind),
        "name": logical,
        "parent": "",
        "inputs": properties,
        "outputs": None,
        "property_dependencies": dependencies,
        "dependencies": tuple(sorted({urn for urns in dependencies.values() for urn in urns})),
    }


@dataclass(frozen=True, slots=True)
class Case:
    """One policy, some resources, and what it says: ``violated x.sslPolicy`` or ``not proven x.sslPolicy``."""

    policy: str
    what: str
    resources: tuple[dict[str, Any], ...]
    expected: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.policy}: {self.what}"


def case(policy: str, what: str, *resources: dict[str, Any], says: Iterable[str] = ()) -> Case:
    """A case; without ``says`` the policy has nothing to report."""
    return Case(policy, what, resources, tuple(sorted(says)))


def diagnostics(pack: AnalyzerClient, resources: Iterable[Mapping[str, Any]], policy: str = "") -> list[Diagnostic]:
    """What the pack reports in one preview of these resources, by one policy or by all."""
    return [found for found in pack.check(list(resources)) if policy in ("", found.policy)]


def said(found: Iterable[Diagnostic]) -> tuple[str, ...]:
    """The verdict and place of each report, without the resource's type."""
    return tuple(sorted(_first(item.message) for item in found))


def _first(message: str) -> str:
    line = message.partition("\n")[0]
    match = re.match(r"(violated|not proven): (?:[\w-]+\.\w+ )?(\S+)", line)
    return f"{match[1]} {match[2]}" if match else line
