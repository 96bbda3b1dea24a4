"""Options at the edge: TLS policy, client networks, paths, log readers, and WAF rules in count mode."""

from __future__ import annotations

import ipaddress
from fnmatch import fnmatchcase
from itertools import permutations
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from components.common.aws_limits import CLIENT_BLOCKS, PATH_PATTERN_CHARACTERS, RULE_WILDCARDS, TlsPolicy
from settings.errors import check, collected
from settings.values import Section

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


MOST_PATHS = 20
"""The maximum number of paths in each list: ALB rule quotas and WAF capacity allow this many in addition to the
application's own."""
NEEDED_PATHS = ("/", "/logout", "/oauth2/idpresponse")
"""Paths that login and logout need: the start page, the proxy's logout and the load balancer's login callback."""

PathPattern = Annotated[
    str,
    StringConstraints(pattern=rf"^/[A-Za-z0-9_.$~@:+&*?/-]{{0,{PATH_PATTERN_CHARACTERS - 1}}}$"),
    Field(
        description=f"a path that starts with /, at most {PATH_PATTERN_CHARACTERS} characters, with * and ? as wildcards, for example /reports/*"
    ),
]
PathPrefix = Annotated[
    str,
    StringConstraints(pattern=rf"^/[A-Za-z0-9_.$~@:+&/-]{{1,{PATH_PATTERN_CHARACTERS - 1}}}$"),
    Field(
        description=f"the prefix of a path, 2 to {PATH_PATTERN_CHARACTERS} characters without wildcards, for example /api/v1/reports/"
    ),
]


class Paths(Section):
    """Paths in addition to the application's own. Every offered path requires a session; requests for any other path
    get a 404."""

    blocked: tuple[PathPattern, ...] = Field(default=(), max_length=MOST_PATHS)
    """Paths that return 404 before any other rule applies, even if the application offers them. For example
    ``/playground*``."""
    api: tuple[PathPattern, ...] = Field(default=(), max_length=MOST_PATHS)
    """Paths called by scripts. Requests without a session get a 401."""
    pages: tuple[PathPattern, ...] = Field(default=(), max_length=MOST_PATHS)
    """Paths opened in a browser. Requests without a session are redirected to the login."""
    prompts: tuple[PathPrefix, ...] = Field(default=(), max_length=MOST_PATHS)
    """Prefixes of paths whose bodies contain prompts. Managed WAF rules with false positives on ordinary prompts do not
    block requests to these paths."""
    queries: tuple[PathPrefix, ...] = Field(default=(), max_length=MOST_PATHS)
    """Prefixes of paths whose query strings contain text that users wrote. Managed WAF rules with false positives on ordinary
    text do not block their queries."""

    @model_validator(mode="after")
    def _keep_login_paths(self) -> Self:
        offered = {"api": self.api, "pages": self.pages}
        with collected():
            for name, paths in (
                {"blocked": self.blocked, "prompts": self.prompts, "queries": self.queries} | offered
            ).items():
                check(
                    len(set(paths)) == len(paths),
                    key=f"edge.paths.{name}",
                    value=", ".join(paths),
                    allowed="a list without duplicates",
                    fix="remove the duplicate",
                )
            for name, paths in ({"blocked": self.blocked} | offered).items():
                for path in paths:
                    check(
                        path.count("*") + path.count("?") <= RULE_WILDCARDS,
                        key=f"edge.paths.{name}",
                        value=path,
                        allowed=f"at most {RULE_WILDCARDS} wildcards in a path: a load balancer rule accepts no more",
                        fix="use fewer: * matches slashes too",
                    )
            for path in self.blocked:
                lost = [needed for needed in NEEDED_PATHS if fnmatchcase(needed, path)]
                check(
                    not lost,
                    key="edge.paths.blocked",
                    value=path,
                    allowed=f"paths that do not block login or logout: not {', '.join(lost)}",
                    fix="list narrower paths",
                )
            for name, paths in offered.items():
                for path in paths:
                    check(
                        not path.startswith(("/*", "/?")),
                        key=f"edge.paths.{name}",
                        value=path,
                        allowed="a path without wildcards in its first segment: this one would offer paths that are not listed",
                        fix="list the paths that the application needs, each without wildcards in its first segment",
                    )
                    check(
                        path not in self.blocked,
                        key=f"edge.paths.{name}",
                        value=path,
                        allowed="paths that are not in edge.paths.blocked, which applies first",
                        fix="remove it from one of the two lists",
                    )
            for path in sorted(set(self.api) & set(self.pages)):
                check(
                    False,
                    key="edge.paths.pages",
                    value=path,
                    allowed="paths that are not in edge.paths.api, which applies first",
                    fix="remove it from one of the two lists",
                )
        return self


class Edge(Section):
    """Options at the edge. Every allowed value is safe."""

    tls_policy: TlsPolicy = TlsPolicy.TLS_1_2_RESTRICTED
    """TLS 1.3 and 1.2 with forward secrecy, or TLS 1.3 only, which rejects clients from before about 2019."""
    client_cidr_blocks: tuple[ClientBlock, ...] = Field(
        default=(ipaddress.IPv4Network("0.0.0.0/0"),), min_length=1, max_length=CLIENT_BLOCKS
    )
    """The client networks that may connect. No block may contain another. Omitted: any address."""
    log_reader_arns: tuple[RoleArn, ...] = ()
    """Roles that may read the access logs, which contain full request lines. Omitted: no principal can read them."""
    count_only_rules: tuple[RuleKey, ...] = ()
    """WAF rules that count matches instead of blocking, so that a new rule can be observed first."""
    paths: Paths = Paths()
    """Paths offered or blocked in addition to the application's own. Omitted: only the application's own."""
    content_security_policy: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[\x20-\x7e]{1,1024}$"),
            Field(description="the header's value: up to 1024 printable characters"),
        ]
        | None
    ) = None
    """Replaces the application's Content-Security-Policy header. Omitted: the application's header is kept, because a
    stricter one can break pages."""

    @model_validator(mode="after")
    def _no_block_hides_another(self) -> Self:
        """A narrow block in addition to a wider one looks like a restriction but has no effect."""
        with collected():
            for one, other in permutations(dict.fromkeys(self.client_cidr_blocks), 2):
                check(
                    not one.subnet_of(other),
                    key="edge.clientCidrBlocks",
                    value=str(one),
                    allowed=f"blocks that do not overlap: {other} already includes it",
                    fix=f"remove {one}, or remove {other} if only the narrower block is intended",
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
                    allowed="a list without duplicates",
                    fix="remove the duplicate",
                )
        return self
