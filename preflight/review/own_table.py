"""A team's own table of requests, each with the outcome that it expects, evaluated as a test.

The file is YAML. ``path`` is at the application's own host name, ``url`` anywhere; ``expect`` is a status, ``served`` or ``dropped``;
``by`` is the rule that has to decide, without its number. The other keys are the options of ``preflight trace``::

    requests:
      - name: the administration needs a log-in
        path: /admin/users
        expect: 302
      - name: an upload above the limit is refused
        method: POST
        path: /api/v1/files/
        body: 51MB
        claims: {groups: ai-interface-users}
        expect: 413
        by: upload-too-large
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.http.requests import Outcome, Result
from preflight.analysis.tracing import Asked, request_of
from preflight.errors import ConfigurationError
from preflight.recording.recorder import Recording
from preflight.review.access import own_hosts
from preflight.review.trace_text import TracedRequest, content, traced_request
from preflight.review.trace_text import as_text as trace_as_text

KEYS = {
    "name": "a text",
    "method": "a method, by default GET",
    "path": "a path of the application, or url",
    "url": "a whole URL, or path",
    "headers": "a mapping of names to values",
    "cookies": "a mapping of names to values",
    "body": "a size such as 5MB",
    "claims": "a mapping of claims to a value or a list",
    "token": "true for a machine client's token",
    "client": "an address",
    "threats": "a list of managed rules",
    "expect": "a status, served or dropped",
    "by": "the rule that has to decide",
}
_OUTCOMES = ("served", "dropped")


@dataclass(frozen=True, slots=True)
class ExpectedRequest:
    """One line of the table."""

    number: int
    name: str
    asked: Asked
    expect: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """One line with its outcome; ``differs`` is empty if it is the expected one."""

    line: ExpectedRequest
    traced: TracedRequest
    differs: str


def read(path: Path, host: str) -> list[ExpectedRequest]:
    """The lines of a table.

    :raises ConfigurationError: for a file or a line that is not well formed, with its place, what is allowed and the fix
    """
    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from None
    entries: Any = cast("dict[str, Any]", found).get("requests") if isinstance(found, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError(
            f"{path} has no list named requests: write requests: and below it one entry for each request"
        )
    return [_line(path, number, entry, host) for number, entry in enumerate(cast("list[Any]", entries), start=1)]


def _line(path: Path, number: int, entry: object, host: str) -> ExpectedRequest:
    place = f"{path}, request {number}"
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{place} is not a mapping: write at least path and expect")
    own = {str(key): value for key, value in cast("Mapping[Any, Any]", entry).items()}
    if unknown := sorted(own.keys() - KEYS.keys()):
        allowed = "; ".join(f"{key}: {what}" for key, what in KEYS.items())
        raise ConfigurationError(f"{place} has an unknown key {unknown[0]}; allowed are {allowed}")
    if ("path" in own) == ("url" in own):
        raise ConfigurationError(f"{place} needs either path or url: write path for the application's own host name")
    expect = str(own.get("expect", ""))
    if expect not in _OUTCOMES and not (expect.isdigit() and len(expect) == 3):  # noqa: PLR2004 - a status
        raise ConfigurationError(
            f"{place} expects {expect or 'nothing'}: write a status such as 401, served or dropped"
        )
    for key in ("headers", "cookies", "claims"):
        if not isinstance(own.get(key, {}), Mapping):
            raise ConfigurationError(f"{place}: {key} is not a mapping of names to values")
    if "path" in own and not str(own["path"]).startswith("/"):
        raise ConfigurationError(f"{place}: the path {own['path']} does not start with /")
    url = str(own["url"]) if "url" in own else f"https://{host}{own['path']}"
    asked = Asked(
        method=str(own.get("method", "GET")),
        url=url,
        headers=_pairs(own.get("headers"), ":"),
        cookies=_pairs(own.get("cookies"), "="),
        body=str(own.get("body", "")),
        claims=_pairs(own.get("claims"), "="),
        token=bool(own.get("token")),
        client=str(own.get("client", "")),
        threats=tuple(map(str, cast("list[Any]", own.get("threats") or []))),
    )
    name = str(own.get("name") or f"{asked.method} {own.get('path', url)}")
    return ExpectedRequest(number, name, asked, expect, str(own.get("by", "")))


def _pairs(value: object, separator: str) -> tuple[str, ...]:
    found: list[str] = []
    for key, item in cast("Mapping[Any, Any]", value or {}).items():
        text = ",".join(map(str, cast("list[Any]", item))) if isinstance(item, list) else str(item)
        found.append(f"{key}{separator}{text}")
    return tuple(found)


def check(recording: Recording, path: Path) -> list[CheckedRequest]:
    """Every line of the table, traced through the stack."""
    hosts = own_hosts(Graph.from_recorded(recording.resources))
    lines = read(path, hosts[0] if hosts else "")
    return [_checked(recording, line) for line in lines]


def _checked(recording: Recording, line: ExpectedRequest) -> CheckedRequest:
    traced = traced_request(recording, request_of(line.asked))
    return CheckedRequest(line, traced, _difference(line, traced.outcome))


def _difference(line: ExpectedRequest, outcome: Outcome) -> str:
    if outcome.result is Result.NOT_PROVEN:
        return f"expected {line.expect}, but it is not proven: {', '.join(outcome.unknowns)}"
    found = str(outcome.result) if outcome.result is not Result.ANSWERED else str(outcome.status)
    if found != line.expect:
        return f"expected {line.expect}, found {found} by {outcome.rule}"
    rule = outcome.rule.rstrip("0123456789").rstrip("-")
    if line.by and line.by not in (outcome.rule, rule):
        return f"expected {line.expect} by {line.by}, found it by {outcome.rule}"
    return ""


def as_text(found: Sequence[CheckedRequest]) -> str:
    """The requests that differ, each with its trace, then the number of requests."""
    parts: list[str] = []
    for one in found:
        if one.differs:
            steps = "".join(f"  {line}\n" for line in trace_as_text(one.traced).partition("\n\n")[0].splitlines())
            parts.append(f"request {one.line.number}, {one.line.name}: {one.differs}\n{steps}")
    wrong = sum(bool(one.differs) for one in found)
    right = "1 request has its" if len(found) == 1 else f"{len(found)} requests have their"
    verdict = f"{wrong} of {len(found)} requests differ" if wrong else f"{right} expected outcome"
    return "\n".join([*parts, f"{verdict}\n"])


def as_json(found: Sequence[CheckedRequest]) -> str:
    """Every line as JSON."""
    lines = [
        {
            "number": one.line.number,
            "name": one.line.name,
            "expect": one.line.expect,
            "differs": one.differs,
            "trace": content(one.traced),
        }
        for one in found
    ]
    return json.dumps({"requests": lines}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
