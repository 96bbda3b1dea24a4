"""What a team may choose at the edge: TLS clients, paths, who reads its logs, and which firewall rules only watch."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import permutations
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from settings.errors import check, collected
from settings.values import Section


class TlsPolicy(StrEnum):
    """Which TLS clients must speak."""

    TLS_1_2_RESTRICTED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    TLS_1_3_ONLY = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"


RoleArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9+=,.@_/*?-]{1,512}$"),
    Field(description="the ARN of a role, in which * and ? are wildcards: arn:aws:iam::111122223333:role/log-readers"),
]
RuleKey = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$"),
    Field(description="the key of a rule in components/waf/rules.py"),
]


def _network(value: object) -> object:
    try:
        return ipaddress.IPv4Network(value) if isinstance(value, str) else value
    except ValueError:
        return value


ClientBlock = Annotated[
    ipaddress.IPv4Network,
    BeforeValidator(_network),
    Field(description="an IPv4 network without host bits, for example 198.51.100.0/24"),
]


MOST_CLIENT_BLOCKS = 29
"""Each takes two of the 60 rules of a security group, and path MTU discovery takes one."""
MOST_WILDCARDS = 5
"""In one path: an ALB's rule takes no more."""
MOST_PATHS = 20
"""In each list: what an ALB's rules and the firewall's capacity have room for, whatever the application's own are."""
NEEDED_PATHS = ("/", "/logout", "/oauth2/idpresponse")
"""Without these nobody gets in or out: the start page, the proxy's logout and the load balancer's login callback."""

PathPattern = Annotated[
    str,
    StringConstraints(pattern=r"^/[A-Za-z0-9_.$~@:+&*?/-]{0,127}$"),
    Field(description="a path that starts with /, at most 128 characters, * and ? as wildcards: /reports/*"),
]
PathPrefix = Annotated[
    str,
    StringConstraints(pattern=r"^/[A-Za-z0-9_.$~@:+&/-]{1,127}$"),
    Field(description="the beginning of a path, 2 to 128 characters without wildcards: /api/v1/reports/"),
]


class Paths(Section):
    """Paths besides the application's own. Every one that is offered needs a session; what no list names is 404."""

    blocked: tuple[PathPattern, ...] = Field(default=(), max_length=MOST_PATHS)
    """Answered 404 before anything else, also where the application offers them: /playground*"""
    api: tuple[PathPattern, ...] = Field(default=(), max_length=MOST_PATHS)
    """Called by scripts: answered 401 without a session."""
    pages: tuple[PathPattern, ...] = Field(default=(), max_length=MOST_PATHS)
    """Opened by people: redirected to log in without a session."""
    prompts: tuple[PathPrefix, ...] = Field(default=(), max_length=MOST_PATHS)
    """Beginnings of paths whose bodies are what people write: managed firewall rules that take ordinary prompts for
    attacks do not block there."""

    @model_validator(mode="after")
    def _leave_a_way_in(self) -> Self:
        offered = {"api": self.api, "pages": self.pages}
        with collected():
            for name, paths in ({"blocked": self.blocked, "prompts": self.prompts} | offered).items():
                check(
                    len(set(paths)) == len(paths),
                    key=f"edge.paths.{name}",
                    value=", ".join(paths),
                    allowed="a list that names each thing once",
                    fix="remove the repeated one",
                )
            for name, paths in ({"blocked": self.blocked} | offered).items():
                for path in paths:
                    check(
                        path.count("*") + path.count("?") <= MOST_WILDCARDS,
                        key=f"edge.paths.{name}",
                        value=path,
                        allowed=f"at most {MOST_WILDCARDS} wildcards in a path: a load balancer's rule takes no more",
                        fix="use fewer: * stands for slashes too",
                    )
            for path in self.blocked:
                lost = [needed for needed in NEEDED_PATHS if fnmatchcase(needed, path)]
                check(
                    not lost,
                    key="edge.paths.blocked",
                    value=path,
                    allowed=f"paths without which people still get in and out: not {', '.join(lost)}",
                    fix="name the paths that are to be blocked more narrowly",
                )
            for name, paths in offered.items():
                for path in paths:
                    check(
                        not path.startswith(("/*", "/?")),
                        key=f"edge.paths.{name}",
                        value=path,
                        allowed="a path that begins with a name: this one would offer paths that nobody has named",
                        fix="list the paths that the application needs, each with its first part written out",
                    )
                    check(
                        path not in self.blocked,
                        key=f"edge.paths.{name}",
                        value=path,
                        allowed="paths that edge.paths.blocked does not name: that comes first",
                        fix="remove it from one of the two lists",
                    )
            for path in sorted(set(self.api) & set(self.pages)):
                check(
                    False,
                    key="edge.paths.pages",
                    value=path,
                    allowed="paths that edge.paths.api does not name: that comes first",
                    fix="remove it from one of the two lists",
                )
        return self


class Edge(Section):
    """Choices at the edge that are safe either way."""

    tls_policy: TlsPolicy = TlsPolicy.TLS_1_2_RESTRICTED
    """TLS 1.3, and 1.2 with forward secrecy only; or TLS 1.3 alone, which shuts out clients from before about 2019."""
    client_cidr_blocks: tuple[ClientBlock, ...] = Field(
        default=(ipaddress.IPv4Network("0.0.0.0/0"),), min_length=1, max_length=MOST_CLIENT_BLOCKS
    )
    """Where clients may come from; no block inside another. Omitted: anywhere."""
    log_reader_arns: tuple[RoleArn, ...] = ()
    """Roles that may read access logs, which hold whole request lines. Omitted: nobody, until somebody is named."""
    count_only_rules: tuple[RuleKey, ...] = ()
    """Firewall rules that count instead of blocking, so that a new one is watched before it blocks."""
    paths: Paths = Paths()
    """Paths that are offered or blocked besides the application's own. Omitted: the application's own alone."""
    content_security_policy: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[\x20-\x7e]{1,1024}$"),
            Field(description="the header's value: up to 1024 printable characters"),
        ]
        | None
    ) = None
    """Replaces the application's own header. Omitted: the application's stays, since a strict one can break pages."""

    @model_validator(mode="after")
    def _no_block_hides_another(self) -> Self:
        """A narrow block beside a wide one would look like a restriction that is none."""
        with collected():
            for one, other in permutations(dict.fromkeys(self.client_cidr_blocks), 2):
                check(
                    not one.subnet_of(other),
                    key="edge.clientCidrBlocks",
                    value=str(one),
                    allowed=f"blocks of which none is inside another: {other} admits it already",
                    fix=f"remove {one}, or remove {other} where only the narrower one is meant",
                )
        return self

    @model_validator(mode="after")
    def _lists_name_each_thing_once(self) -> Self:
        with collected():
            for key, values in (
                ("clientCidrBlocks", tuple(map(str, self.client_cidr_blocks))),
                ("countOnlyRules", self.count_only_rules),
                ("logReaderArns", self.log_reader_arns),
            ):
                check(
                    len(set(values)) == len(values),
                    key=f"edge.{key}",
                    value=", ".join(values),
                    allowed="a list that names each thing once",
                    fix="remove the repeated one",
                )
        return self
