"""The table of mistakes, continued: names, certificates and options at the edge."""

from __future__ import annotations

from settings.errors import NOT_SET
from tests.settings.mistakes import FIXES, FORM, UNKNOWN, row
from tests.settings.stack_files import REMOVED

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef"

EDGE_ROWS = [
    # domain
    row(
        "host name with scheme",
        {"domain.hostName": "https://chat.example.com"},
        ("domain.hostName", '"https://chat.example.com"', FORM),
    ),
    row("host name has one label", {"domain.hostName": "localhost"}, ("domain.hostName", '"localhost"', FORM)),
    row("zone is a name", {"domain.hostedZoneId": "example.com"}, ("domain.hostedZoneId", '"example.com"', FORM)),
    row(
        "neither zone nor certificate",
        {"domain.hostedZoneId": REMOVED},
        ("domain", NOT_SET, "set domain.hostedZoneId, or set domain.certificateArn and create the DNS record yourself"),
    ),
    row(
        "both zone and certificate",
        {"domain.certificateArn": CERTIFICATE.replace("us-east-1", "eu-west-1")},
        ("domain", "hostedZoneId and certificateArn", "remove one of the two"),
    ),
    row(
        "a certificate of another region",
        {"domain.hostedZoneId": REMOVED, "domain.certificateArn": CERTIFICATE},
        ("domain.certificateArn", CERTIFICATE, "request or import the certificate in eu-west-1"),
    ),
    # edge
    row(
        "an old TLS policy",
        {"edge.tlsPolicy": "tls-1.1"},
        (
            "edge.tlsPolicy",
            '"tls-1.1"',
            "choose one of these",
        ),
    ),
    row(
        "a log reader that is a user",
        {"edge.logReaderArns": ["arn:aws:iam::111122223333:user/anna"]},
        ("edge.logReaderArns[0]", '"arn:aws:iam::111122223333:user/anna"', FORM),
    ),
    row(
        "a path without its slash",
        {"edge.paths": {"pages": ["reports/*"]}},
        ("edge.paths.pages[0]", '"reports/*"', FORM),
    ),
    row(
        "a prefix with a wildcard",
        {"edge.paths": {"prompts": ["/api/v1/reports/*"]}},
        ("edge.paths.prompts[0]", '"/api/v1/reports/*"', FORM),
    ),
    row(
        "a path that offers everything",
        {"edge.paths": {"api": ["/*"]}},
        (
            "edge.paths.api",
            "/*",
            "list the paths that the application needs, each without wildcards in its first segment",
        ),
    ),
    row(
        "a blocked path that takes the login along",
        {"edge.paths": {"blocked": ["/oauth2*"]}},
        ("edge.paths.blocked", "/oauth2*", "list narrower paths"),
    ),
    row(
        "everything blocked",
        {"edge.paths": {"blocked": ["/*"]}},
        ("edge.paths.blocked", "/*", "list narrower paths"),
    ),
    row(
        "a path offered and blocked",
        {"edge.paths": {"blocked": ["/reports/*"], "pages": ["/reports/*"]}},
        ("edge.paths.pages", "/reports/*", "remove it from one of the two lists"),
    ),
    row(
        "a path in both lanes",
        {"edge.paths": {"api": ["/reports/*"], "pages": ["/reports/*"]}},
        ("edge.paths.pages", "/reports/*", "remove it from one of the two lists"),
    ),
    row(
        "a path twice",
        {"edge.paths": {"api": ["/reports/*", "/reports/*"]}},
        ("edge.paths.api", "/reports/*, /reports/*", "remove the duplicate"),
    ),
    row(
        "more paths than there is room for",
        {"edge.paths": {"api": [f"/r{n}/*" for n in range(21)]}},
        ("edge.paths.api", "a list of 21", "write at most 20"),
    ),
    row(
        "a rule that counts twice",
        {"edge.countOnlyRules": ["core", "core"]},
        ("edge.countOnlyRules", "core, core", "remove the duplicate"),
    ),
    row(
        "clients from nowhere",
        {"edge.clientCidrBlocks": ["everywhere"]},
        ("edge.clientCidrBlocks[0]", '"everywhere"', FORM),
    ),
    row(
        "the host name at the edge",
        {"edge.hostName": "chat.example.com"},
        ("edge.hostName", UNKNOWN, "it belongs under domain or identity.machineClients or tools.search"),
    ),
    row(
        "the hosted zone at the edge",
        {"edge.hostedZoneId": "Z0123456789ABCDEFGHIJ"},
        ("edge.hostedZoneId", UNKNOWN, "it belongs under domain"),
    ),
    row(
        "a TLS policy of AWS's that is not offered",
        {"edge.tlsPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
        ("edge.tlsPolicy", '"ELBSecurityPolicy-TLS13-1-2-2021-06"', "choose one of these"),
    ),
    row(
        "more wildcards than a rule takes",
        {"edge.paths": {"api": ["/a*/b*/c*/d*/e*/f*"]}},
        ("edge.paths.api", "/a*/b*/c*/d*/e*/f*", "use fewer: * matches slashes too"),
    ),
    row(
        "a narrow block beside all addresses",
        {"edge.clientCidrBlocks": ["203.0.113.0/24", "0.0.0.0/0"]},
        (
            "edge.clientCidrBlocks",
            "203.0.113.0/24",
            "remove 203.0.113.0/24, or remove 0.0.0.0/0 if only the narrower block is intended",
        ),
    ),
    row(
        "more blocks of clients than a security group has rules for",
        {"edge.clientCidrBlocks": [f"203.0.{n}.0/24" for n in range(30)]},
        ("edge.clientCidrBlocks", "a list of 30", "write at most 29"),
    ),
    row(
        "clients by IPv6",
        {"edge.clientCidrBlocks": ["2001:db8::/32"]},
        ("edge.clientCidrBlocks[0]", '"2001:db8::/32"', FORM),
    ),
    row("the edge as one word", {"edge": "strict"}, ("edge", '"strict"', FIXES["object"])),
    row(
        "a header of two lines",
        {"edge.contentSecurityPolicy": "default-src 'self'\n"},
        ("edge.contentSecurityPolicy", "\"default-src 'self'\\n\"", FORM),
    ),
    row(
        "a section for the firewall",
        {"firewall": {"countOnly": ["core"]}},
        (
            "firewall",
            UNKNOWN,
            "write sizes and rates under limits, and rules in count mode under edge.countOnlyRules",
        ),
    ),
]
