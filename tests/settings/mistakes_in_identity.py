"""The table of mistakes, continued: login, allowed users, administrators and machine clients."""

from __future__ import annotations

from settings.errors import NOT_SET, shown
from tests.settings.mistakes import FORM, row
from tests.settings.stack_files import REMOVED, Values

MACHINES: Values = {
    "hostName": "api.staging.example.com",
    "issuer": "https://login.example.com",
    "jwksEndpoint": "https://login.example.com/jwks",
    "audience": "ai-interface",
}

IDENTITY_ROWS = [
    # identity
    row(
        "no user allowed",
        {"identity.allowed": {}},
        ("identity.allowed", "an empty object", "add a selector, for example allowed: {emailDomains: [example.com]}"),
    ),
    row(
        "allowed is left out",
        {"identity.allowed": REMOVED},
        ("identity.allowed", NOT_SET, "add allowed to Pulumi.staging.yaml"),
    ),
    row(
        "an address where the log's user id belongs",
        {"identity.blocked": {"users": ["ann@example.com"]}},
        ("identity.blocked.users[0]", '"ann@example.com"', FORM),
    ),
    row(
        "a block by a claim that is never returned",
        {
            "identity.userInfoEndpoint": "https://graph.microsoft.com/oidc/userinfo",
            "identity.allowed": {"emailDomains": ["example.com"]},
            "identity.administrators": {"emails": ["root@example.com"]},
            "identity.blocked": {"claim": {"name": "groups", "values": ["left"]}},
        },
        (
            "identity.blocked.claim.name",
            "groups",
            "in allowed, require assignment at the enterprise application and write everyoneTheProviderAssigns: true; in "
            "administrators, write emails; to use groups, put Amazon Cognito in front of Entra ID (docs/identity/cognito.md); set "
            "identity.provider, see docs/identity/entra-id.md",
        ),
    ),
    row(
        "no administrator",
        {"identity.administrators": {"emails": []}},
        (
            "identity.administrators",
            "an empty object",
            "add a selector, for example administrators: {emailDomains: [example.com]}",
        ),
    ),
    row(
        "a public mail domain",
        {"identity.allowed": {"emailDomains": ["gmail.com"]}},
        (
            "identity.allowed.emailDomains",
            "gmail.com",
            "list the individual addresses at gmail.com under emails, or use a claim",
        ),
    ),
    row(
        "administrators who do not get in",
        {
            "identity.allowed": {"emailDomains": ["example.com"], "emails": ["guest@example.net"]},
            "identity.administrators": {
                "emails": ["root@example.org", "Guest@example.net"],
                "emailDomains": ["example.edu"],
            },
        },
        ("identity.administrators.emails", "root@example.org", "add the address, or its domain, to identity.allowed"),
        ("identity.administrators.emailDomains", "example.edu", "add the domain to identity.allowed.emailDomains"),
    ),
    row(
        "a claim without values",
        {"identity.allowed.claim.values": []},
        ("identity.allowed.claim.values", "a list of 0", "write at least 1"),
    ),
    row(
        "scopes without email",
        {"identity.scopes": ["openid"]},
        ("identity.scopes", "openid", "add the missing scope: the trusted e-mail header comes from the email claim"),
    ),
    row(
        "a token endpoint with query",
        {"identity.tokenEndpoint": "https://a.example.com/t?x=1"},
        ("identity.tokenEndpoint", '"https://a.example.com/t?x=1"', FORM),
    ),
    *(
        row(
            f"a logout page {what}",
            {"identity.endSessionEndpoint": url},
            ("identity.endSessionEndpoint", shown(url), FORM),
        )
        for what, url in {
            "without TLS": "http://login.example.com/logout?client_id=chat",
            "with a fragment": "https://login.example.com/logout?client_id=chat#top",
            "with a user": "https://user@login.example.com/logout",
            "with a line end": "https://login.example.com/logout?x=1\r\nset-cookie: a=b",
            "with a space": "https://login.example.com/logout?x=a b",
            "with a quote": 'https://login.example.com/logout?x="',
            "with a letter that URLs lack": "https://login.example.com/logout?x=ä",
            "with half an escape": "https://login.example.com/logout?x=%4",
            "on a bare host": "https://login/logout?client_id=chat",
        }.items()
    ),
    row(
        "a session of nine days",
        {"identity.sessionTimeoutSeconds": 777_600},
        ("identity.sessionTimeoutSeconds", "777600", "set it to 604800 or less"),
    ),
    row(
        "machines under the users' name",
        {"identity.machineClients": {**MACHINES, "hostName": "chat.staging.example.com"}},
        (
            "identity.machineClients.hostName",
            "chat.staging.example.com",
            "use a name such as api.chat.staging.example.com",
        ),
    ),
    row(
        "the audience as a claim too",
        {"identity.machineClients": {**MACHINES, "claims": [{"name": "aud", "values": ["x"]}]}},
        ("identity.machineClients.claims[0].name", "aud", "remove the claim"),
    ),
    row(
        "a claim that the load balancer checks in any case",
        {"identity.machineClients": {**MACHINES, "claims": [{"name": "exp", "values": ["x"]}]}},
        ("identity.machineClients.claims[0].name", "exp", "remove the claim"),
    ),
    row(
        "a claim twice",
        {"identity.machineClients": {**MACHINES, "claims": [{"name": "team", "values": [v]} for v in "ab"]}},
        ("identity.machineClients.claims[1].name", "team", "merge its values into one list"),
    ),
    row(
        "more values than a load balancer compares",
        {"identity.machineClients": {**MACHINES, "claims": [{"name": "team", "values": list("abcdefghijk")}]}},
        (
            "identity.machineClients.claims[0].values",
            "a list of 11",
            "have the issuer set the same value for all permitted clients",
        ),
    ),
    row(
        "several values where the token holds one",
        {
            "identity.machineClients": {
                **MACHINES,
                "claims": [{"name": "team", "values": ["a", "b"], "format": "single-string"}],
            }
        },
        (
            "identity.machineClients.claims[0].format",
            "single-string",
            "list one value, or set string-array or space-separated-values, whichever the token uses",
        ),
    ),
    row(
        "a value with a space where spaces separate",
        {
            "identity.machineClients": {
                **MACHINES,
                "claims": [{"name": "scope", "values": ["models call"], "format": "space-separated-values"}],
            }
        },
        (
            "identity.machineClients.claims[0].values",
            "models call",
            "write each value as a separate element of the list",
        ),
    ),
    row(
        "a format that no token has",
        {"identity.machineClients": {**MACHINES, "audienceFormat": "list"}},
        ("identity.machineClients.audienceFormat", '"list"', "choose one of these"),
    ),
]
