"""The listener rules as a pure table: the requests that the edge answers or forwards, and how each is authenticated.

Blocked paths come first, then the lanes. A request that matches no rule gets the listener's default response, 404.
Every rule that forwards also authenticates. Paths are compared without decoding and case-sensitively, so other
spellings of a path are not offered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from components.common.aws_limits import PATH_PATTERN_CHARACTERS, RULE_WILDCARDS

CONDITION_VALUES = 5
"""The maximum number of condition values in one listener rule, including host names (ALB quota)."""

HIGHEST_PRIORITY = 50_000
MOST_RULES = 100
"""The maximum number of rules of one load balancer (default quota), including the redirect of the other listener."""

LOGIN_CALLBACK = "/oauth2/idpresponse"
"""The path to which the identity provider redirects the browser after the login. The ALB handles it, in the page
lane."""


class Lane(StrEnum):
    """The treatment of requests that match a rule."""

    BLOCKED = "blocked"
    """Returns 404, with or without a session: internal paths of the application."""
    MACHINE = "machine"
    """Forwarded with a valid token of the machine clients' issuer; otherwise 401."""
    API = "api"
    """Forwarded with a session; otherwise 401, because scripts and WebSockets cannot follow a login redirect."""
    PAGE = "page"
    """Forwarded with a session; otherwise redirected to the login."""


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """One listener rule."""

    key: str
    priority: int
    lane: Lane
    hosts: tuple[str, ...]
    paths: tuple[str, ...] = field(default=())


_FIRST_PRIORITY = {Lane.BLOCKED: 100, Lane.MACHINE: 1000, Lane.API: 2000, Lane.PAGE: 3000}
_PRIORITY_STEP = 10


def _lane_rules(lane: Lane, hosts: Sequence[str], paths: Sequence[str]) -> list[EdgeRule]:
    """The rules of one lane. The given order is kept, so that an appended path changes only the last rule."""
    return [
        EdgeRule(
            key=f"{lane.value}-{index + 1}",
            priority=_FIRST_PRIORITY[lane] + index * _PRIORITY_STEP,
            lane=lane,
            hosts=tuple(sorted(hosts)),
            paths=chunk,
        )
        for index, chunk in enumerate(_chunks(paths, CONDITION_VALUES - len(hosts)))
    ]


def _chunks(paths: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """The distinct paths in their order, in chunks that fit into one rule."""
    chunks: list[tuple[str, ...]] = []
    for path in dict.fromkeys(paths):
        last = chunks[-1] if chunks else ()
        if chunks and len(last) < most and wildcards(*last, path) <= RULE_WILDCARDS:
            chunks[-1] = (*last, path)
        else:
            chunks.append((path,))
    return chunks


def wildcards(*patterns: str) -> int:
    """The number of wildcards in these patterns, as counted by an ALB."""
    return sum(pattern.count("*") + pattern.count("?") for pattern in patterns)


def check_paths(paths: Sequence[str], where: str) -> None:
    """Raise ``ValueError`` for a path pattern that an ALB would refuse, or that matches every path."""
    for path in paths:
        if not path.startswith("/") or len(path) > PATH_PATTERN_CHARACTERS or any(c.isspace() for c in path):
            raise ValueError(
                f"{where} has {path!r}: a path pattern starts with / and has at most {PATH_PATTERN_CHARACTERS} characters without spaces; correct it"
            )
        if wildcards(path) > RULE_WILDCARDS:
            raise ValueError(
                f"{where} has {path!r} with {wildcards(path)} wildcards: one rule accepts at most {RULE_WILDCARDS}; use fewer"
            )
        if path.startswith(("/*", "/?")) and where != "blocked":
            raise ValueError(
                f"{where} has {path!r}, which would offer every path of that form; list the application's paths instead"
            )


def offers(pattern: str, path: str) -> bool:
    """Whether an ALB's path pattern matches a path: ``*`` matches any text including slashes, ``?`` one character."""
    return fnmatchcase(path, pattern.replace("[", "[[]"))


def edge_rules(
    hosts: Sequence[str],
    *,
    blocked: Sequence[str],
    api: Sequence[str],
    pages: Sequence[str],
    machine_host: str | None = None,
    machine_paths: Sequence[str] = (),
) -> tuple[EdgeRule, ...]:
    """Every rule of the HTTPS listener, by priority.

    Machine clients have a separate host name, to which no other lane applies: a bearer token from a browser is never
    validated as a machine's token, and a machine's token never reaches the application.
    """
    if not 1 <= len(hosts) < CONDITION_VALUES:
        raise ValueError(
            f"{len(hosts)} host names are given: one rule accepts 1 to {CONDITION_VALUES - 1} in addition to a path"
        )
    if machine_host is not None and machine_host in hosts:
        raise ValueError(
            f"machine clients share the host name {machine_host} with users: give them a separate host name"
        )
    for where, paths in (("blocked", blocked), ("api", api), ("pages", pages), ("machine", machine_paths)):
        check_paths(paths, where)
    rules = [
        *_lane_rules(Lane.BLOCKED, hosts, blocked),
        *(_lane_rules(Lane.MACHINE, [machine_host], machine_paths) if machine_host is not None else []),
        *_lane_rules(Lane.API, hosts, api),
        *_lane_rules(Lane.PAGE, hosts, pages),
    ]
    if len(rules) >= MOST_RULES:
        raise ValueError(
            f"the paths need {len(rules)} listener rules, but a load balancer accepts {MOST_RULES}: use wildcards"
        )
    return tuple(rules)
