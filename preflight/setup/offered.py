"""The groups of models that a stack file offers as comments, for the region of the stack.

The id of a cross-region inference profile begins with an area, and a region can call only the profiles of its area.
``inference_profiles.tsv`` has the profiles and their destinations as AWS's pages of the models list them, with the day on which
each was read. A group whose profile is not listed for a region is replaced by a comment that refers to ``docs/models.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from settings.upstreams import behind_profile

TABLE = Path(__file__).with_name("inference_profiles.tsv")
COLUMNS = ("model", "area", "region", "destinations", "checked", "source")
_GROUP = re.compile(r"^(?P<indent> *)# - name: (?P<name>\S+)$")
_MODEL = re.compile(r'"(?P<id>[^"\s]+)"')
_REGION = re.compile(r"^( *# +region: )\S+$")
_DESTINATIONS = re.compile(r"^( *# +destinationRegions: )\[.*\]$")


@dataclass(frozen=True, slots=True)
class Profile:
    """A cross-region inference profile as one region can call it."""

    id: str
    destinations: tuple[str, ...]
    """The regions to which Bedrock may send a prompt from there."""


@cache
def profiles() -> Mapping[tuple[str, str], Profile]:
    """Model and source region → the profile of the region's area. Raises ``ValueError`` for a table with other columns."""
    first, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    if tuple(first.split("\t")) != COLUMNS:
        raise ValueError(f"{TABLE.name}:1: the columns are {', '.join(COLUMNS)}, separated by tabs")
    found: dict[tuple[str, str], Profile] = {}
    for line in lines:
        model, area, region, destinations, _, _ = line.split("\t")
        found[model, region] = Profile(f"{area}.{model}", tuple(destinations.split()))
    return found


def for_region(text: str, region: str) -> tuple[str, dict[str, str]]:
    """A stack file whose commented groups fit the region, and the ids that changed: the earlier one → the one of the region."""
    changed: dict[str, str] = {}
    return "\n".join(_lines(text.split("\n"), region, changed)), changed


def _lines(lines: list[str], region: str, changed: dict[str, str]) -> Iterator[str]:
    position = 0
    while position < len(lines):
        about = position
        while about < len(lines) and _is_about(lines[about]):
            about += 1
        group = _GROUP.match(lines[about]) if about < len(lines) else None
        if group is None:
            yield from lines[position : max(about, position + 1)]
            position = max(about, position + 1)
            continue
        end = about + 1
        while end < len(lines) and lines[end].startswith(f"{group['indent']}#   "):
            end += 1
        yield from _group(lines[position:end], group, region, changed)
        position = end


def _is_about(line: str) -> bool:
    """Whether a line of a comment is the description of a group, which stands above it."""
    return re.match(r" +# (?!- | )", line) is not None


def _group(lines: list[str], group: re.Match[str], region: str, changed: dict[str, str]) -> Iterator[str]:
    ids = [match["id"] for line in lines for match in _MODEL.finditer(line)]
    models = {old: model for old in ids if (model := behind_profile(old)) is not None}
    new = {old: profiles().get((model, region)) for old, model in models.items()}
    if missing := sorted(models[old] for old, profile in new.items() if profile is None):
        yield f"{group['indent']}# {group['name']}: no inference profile of {missing[0]} is listed for {region}; docs/models.md"
        yield f"{group['indent']}# (Other regions) shows how a profile is offered."
        return
    destinations = sorted({one for profile in new.values() if profile for one in profile.destinations})
    changed |= {old: profile.id for old, profile in new.items() if profile and profile.id != old}
    for line in lines:
        renamed = _MODEL.sub(lambda match: f'"{changed.get(match["id"], match["id"])}"', line)
        placed = _REGION.sub(rf"\g<1>{region}", renamed)
        yield _DESTINATIONS.sub(rf"\g<1>[{', '.join(destinations)}]", placed)
