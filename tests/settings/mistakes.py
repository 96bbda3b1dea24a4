"""A table of mistakes in a stack file: what is changed in the staging file, and what its author is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from settings.errors import NOT_SET
from tests.settings.stack_files import REMOVED, Values

EMPTY = "(empty)"
UNKNOWN = "(unknown key)"
MACHINES: Values = {
    "hostName": "api.staging.example.com",
    "issuer": "https://login.example.com",
    "jwksEndpoint": "https://login.example.com/jwks",
    "audience": "ai-interface",
}
EXISTING: Values = {
    "vpcId": "vpc-0123456789abcdef0",
    "publicSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "privateSubnetIds": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "privateRouteTableIds": ["rtb-0123456789abcdef0"],
}
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef"


@dataclass(frozen=True)
class Row:
    """What is changed in the staging file, and the problems that follow: key, value and fix of each."""

    name: str
    changes: Values
    problems: tuple[tuple[str, str, str], ...]
    outside: Values = field(default_factory=dict[str, object])


def row(name: str, changes: Values, *problems: tuple[str, str, str], **outside: object) -> Row:
    """A row of the table; keys of problems are in the project's namespace unless they hold a colon or a space."""
    return Row(name, changes, problems, outside)


FORM = "write it in that form"
FIXES = {
    "text": "write it as text, in quotes where it could be read as a number",
    "unquote": "write the number without quotes",
    "list": "write it as a list: each value on a line of its own that starts with '- '",
    "object": "write its keys below it, indented",
    "empty": "give it a value, or remove the key where it is optional",
    "block": "choose a block that no peered network uses, for example 10.20.0.0/16",
    "release": "name a manifest; image tags and digests do not belong here: the manifest pins each image by its digest",
    "person": "write it with the leading @ and in quotes: YAML reserves a bare @",
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
        "no release manager", {"owner.releaseManagers": []}, ("owner.releaseManagers", "a list of 0", "give at least 1")
    ),
    row("one person, not a list", {"owner.modelReviewers": "@a"}, ("owner.modelReviewers", '"@a"', FIXES["list"])),
    row(
        "a person without @",
        {"owner.promptReviewers": ["@example/reviewers", "jane"]},
        ("owner.promptReviewers[1]", '"jane"', FIXES["person"]),
    ),
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
        "a certificate of another region",
        {"domain.hostedZoneId": REMOVED, "domain.certificateArn": CERTIFICATE},
        ("domain.certificateArn", CERTIFICATE, "request or import the certificate in eu-west-1"),
    ),
    # release
    row("no release", {"release": REMOVED}, ("release", NOT_SET, "add release to Pulumi.staging.yaml")),
    row("a tag instead of a release", {"release": "v0.11.3"}, ("release", '"v0.11.3"', FIXES["release"])),
    row("latest", {"release": "latest"}, ("release", '"latest"', FIXES["release"])),
    row("release is a number", {"release": 2026.11}, ("release", "2026.11", FIXES["release"])),
    # network
    row(
        "a mask of 33 bits",
        {"network.cidrBlock": "10.20.0.0/33"},
        ("network.cidrBlock", '"10.20.0.0/33"', FIXES["block"]),
    ),
    row(
        "host bits are set",
        {"network.cidrBlock": "10.20.0.1/16"},
        ("network.cidrBlock", '"10.20.0.1/16"', FIXES["block"]),
    ),
    row("public addresses", {"network.cidrBlock": "8.8.0.0/16"}, ("network.cidrBlock", '"8.8.0.0/16"', FIXES["block"])),
    row(
        "a block too small",
        {"network.cidrBlock": "10.20.0.0/24"},
        ("network.cidrBlock", '"10.20.0.0/24"', FIXES["block"]),
    ),
    row("a block that is a number", {"network.cidrBlock": 10}, ("network.cidrBlock", "10", FIXES["block"])),
    row("IPv6", {"network.cidrBlock": "fd00::/16"}, ("network.cidrBlock", '"fd00::/16"', FIXES["block"])),
    row(
        "one zone",
        {"network.availabilityZones": ["eu-west-1a"]},
        ("network.availabilityZones", "a list of 1", "give at least 2"),
    ),
    row(
        "four zones",
        {"network.availabilityZones": [f"eu-west-1{z}" for z in "abcd"]},
        ("network.availabilityZones", "a list of 4", "give at most 3"),
    ),
    row(
        "a zone twice",
        {"network.availabilityZones": ["eu-west-1a", "eu-west-1a"]},
        ("network.availabilityZones", "eu-west-1a, eu-west-1a", "name each zone once"),
    ),
    row(
        "a zone of another region",
        {"network.availabilityZones": ["eu-west-1a", "us-east-1b"]},
        ("network.availabilityZones[1]", "us-east-1b", "write eu-west-1b, or change aws:region"),
    ),
    row(
        "an existing network with too few subnets",
        {"network.existing": EXISTING, "network.availabilityZones": [f"eu-west-1{z}" for z in "abc"]},
        (
            "network.existing.publicSubnetIds",
            "subnet-0123456789abcdef0, subnet-0123456789abcdef1",
            "name one subnet of each zone, in the order of the zones",
        ),
        (
            "network.existing.privateSubnetIds",
            "subnet-0123456789abcdef2, subnet-0123456789abcdef3",
            "name one subnet of each zone, in the order of the zones",
        ),
    ),
    row(
        "a subnet that is public and private",
        {
            "network.existing": {
                **EXISTING,
                "privateSubnetIds": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
            }
        },
        ("network.existing.privateSubnetIds", "subnet-0123456789abcdef1", "name the private subnet of each zone"),
    ),
    row(
        "two route tables for three zones",
        {
            "network.existing": {
                **EXISTING,
                "publicSubnetIds": [f"subnet-0000000{n}" for n in range(3)],
                "privateSubnetIds": [f"subnet-0000001{n}" for n in range(3)],
                "privateRouteTableIds": ["rtb-00000000", "rtb-00000001"],
            },
            "network.availabilityZones": [f"eu-west-1{z}" for z in "abc"],
        },
        (
            "network.existing.privateRouteTableIds",
            "rtb-00000000, rtb-00000001",
            "name the table of each private subnet; the same one may be repeated",
        ),
    ),
    row(
        "whether to filter names in quotes",
        {"network.existing": {**EXISTING, "filterDns": "true"}},
        ("network.existing.filterDns", '"true"', "write true or false, without quotes"),
    ),
    row(
        "a wrong kind of id",
        {"network.existing": {**EXISTING, "vpcId": "subnet-12345678"}},
        (
            "network.existing.vpcId",
            '"subnet-12345678"',
            "copy the id from the VPC console, or from the stack that makes it",
        ),
    ),
    # identity
    row(
        "nobody allowed in",
        {"identity.allowed": {}},
        ("identity.allowed", "nobody", "say who is meant, for example allowed: {emailDomains: [example.com]}"),
    ),
    row(
        "allowed is left out",
        {"identity.allowed": REMOVED},
        ("identity.allowed", NOT_SET, "add allowed to Pulumi.staging.yaml"),
    ),
    row(
        "no administrator",
        {"identity.administrators": {"emails": []}},
        (
            "identity.administrators",
            "nobody",
            "say who is meant, for example administrators: {emailDomains: [example.com]}",
        ),
    ),
    row(
        "a mail domain open to everybody",
        {"identity.allowed": {"emailDomains": ["gmail.com"]}},
        (
            "identity.allowed.emailDomains",
            "gmail.com",
            "name the people of gmail.com one by one under emails, or use a claim",
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
        ("identity.allowed.claim.values", "a list of 0", "give at least 1"),
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
    # limits
    row(
        "an upload of 5 GB",
        {"limits.uploadMebibytes": 5120},
        ("limits.uploadMebibytes", "5120", "set it to 512 or less"),
    ),
    row("an upload of nothing", {"limits.uploadMebibytes": 0}, ("limits.uploadMebibytes", "0", "set it to 1 or more")),
    row("a number in quotes", {"limits.uploadMebibytes": "50"}, ("limits.uploadMebibytes", '"50"', FIXES["unquote"])),
    row(
        "a number with a unit",
        {"limits.uploadMebibytes": "50MB"},
        ("limits.uploadMebibytes", '"50MB"', "write the number alone: its unit is in the key's name"),
    ),
    row("true is no number", {"limits.promptMebibytes": True}, ("limits.promptMebibytes", "true", FORM)),
    row("a fraction", {"limits.promptMebibytes": 1.5}, ("limits.promptMebibytes", "1.5", FORM)),
    row(
        "prompts larger than uploads",
        {"limits": {"promptMebibytes": 16, "uploadMebibytes": 8}},
        ("limits.promptMebibytes", "16", "lower promptMebibytes or raise uploadMebibytes"),
    ),
    row(
        "cookies larger than all headers",
        {"limits": {"cookieBytes": 32_768, "headerBytes": 8_192}},
        ("limits.cookieBytes", "32768", "lower cookieBytes or raise headerBytes"),
    ),
    row(
        "a model slower than its stream",
        {"limits.timeouts.modelDeadlineSeconds": 600},
        ("limits.timeouts.modelDeadlineSeconds", "600", "set it to 599 or less, or raise streamSeconds"),
    ),
    row(
        "a stream longer than a deploy waits, and a target that closes first",
        {"limits.timeouts": {"streamSeconds": 900, "keepAliveSeconds": 120}},
        ("limits.timeouts.streamSeconds", "900", "set it to 600 or less, or raise deregistrationDelaySeconds"),
        ("limits.timeouts.keepAliveSeconds", "120", "set it to 150 or more, or lower edgeIdleSeconds"),
    ),
    row(
        "headers slower than bodies",
        {"limits.timeouts": {"requestHeadersSeconds": 30, "requestBodySeconds": 20}},
        ("limits.timeouts.requestHeadersSeconds", "30", "set it to 20 or less, or raise requestBodySeconds"),
    ),
    row(
        "a stop longer than Fargate's",
        {"limits.timeouts.stopSeconds": 300},
        ("limits.timeouts.stopSeconds", "300", "set it to 120 or less"),
    ),
    row(
        "a rate below AWS's",
        {"limits.rates.modelCallsPerFiveMinutes": 5},
        ("limits.rates.modelCallsPerFiveMinutes", "5", "set it to 10 or more"),
    ),
    row(
        "a timeout in the wrong place",
        {"limits.streamSeconds": 600},
        ("limits.streamSeconds", UNKNOWN, "it belongs under timeouts"),
    ),
    # capacity, retention
    row("a size that Fargate lacks", {"capacity.cpuUnits": 1000}, ("capacity.cpuUnits", "1000", "set it to 1024")),
    row(
        "memory out of steps",
        {"capacity.memoryMebibytes": 3000},
        ("capacity.memoryMebibytes", "3000", "set it to 3072"),
    ),
    row(
        "an unknown processor",
        {"capacity.architecture": "x86"},
        ("capacity.architecture", '"x86"', "choose one of these"),
    ),
    row(
        "more tasks at the least than at the most",
        {"capacity.minimumTasks": 6, "capacity.maximumTasks": 4},
        ("capacity.minimumTasks", "6", "lower it, or raise maximumTasks"),
    ),
    row(
        "three tasks in two zones",
        {"capacity.minimumTasks": 3, "capacity.maximumTasks": 4},
        ("capacity.minimumTasks", "3", "set it to 4, or use another zone"),
    ),
    row("no task", {"capacity.minimumTasks": 0}, ("capacity.minimumTasks", "0", "set it to 1 or more")),
    # state
    row(
        "half of a half",
        {"state.database.minimumCapacityUnits": 0.75},
        ("state.database.minimumCapacityUnits", "0.75", FORM),
    ),
    row(
        "a database that pauses",
        {"state.database.minimumCapacityUnits": 0},
        ("state.database.minimumCapacityUnits", "0", "set it to 0.5 or more"),
    ),
    row(
        "capacity in quotes",
        {"state.database.maximumCapacityUnits": "16"},
        ("state.database.maximumCapacityUnits", '"16"', FIXES["unquote"]),
    ),
    row(
        "a database larger at the least than at the most",
        {"state.database": {"minimumCapacityUnits": 8, "maximumCapacityUnits": 2}},
        ("state.database.minimumCapacityUnits", "8", "lower it, or raise maximumCapacityUnits"),
    ),
    row(
        "a database that a lost zone takes with it",
        {"state.database.instances": 1},
        ("state.database.instances", "1", "set it to 2 or more"),
    ),
    row(
        "more instances than zones",
        {"state.database.instances": 3},
        ("state.database.instances", "3", "set it to 2, or name another zone"),
    ),
    row(
        "backups for three days",
        {"state.database.backupRetentionDays": 3},
        ("state.database.backupRetentionDays", "3", "set it to 7 or more"),
    ),
    row(
        "a snapshot of one instance",
        {"state.database.snapshotIdentifier": "arn:aws:rds:eu-west-1:111122223333:snapshot:old"},
        ("state.database.snapshotIdentifier", '"arn:aws:rds:eu-west-1:111122223333:snapshot:old"', FORM),
    ),
    row(
        "a node type of the database's",
        {"state.cache.nodeType": "db.t4g.small"},
        ("state.cache.nodeType", '"db.t4g.small"', FORM),
    ),
    row("a cache without a replica", {"state.cache.replicas": 0}, ("state.cache.replicas", "0", "set it to 1 or more")),
    row(
        "a cache snapshot for a year",
        {"state.cache.snapshotRetentionDays": 365},
        ("state.cache.snapshotRetentionDays", "365", "set it to 35 or less"),
    ),
    row(
        "object names for a year",
        {"state.uploads.accessLogDays": 365},
        ("state.uploads.accessLogDays", "365", "set it to 90 or less"),
    ),
    row("copies for a day", {"state.backupDays": 1}, ("state.backupDays", "1", "set it to 7 or more")),
    row(
        "retention in the wrong place",
        {"state.backupRetentionDays": 7},
        ("state.backupRetentionDays", UNKNOWN, "did you mean backupDays? Otherwise remove the key"),
    ),
    row("days that CloudWatch lacks", {"retention.flowLogDays": 31}, ("retention.flowLogDays", "31", "set it to 30")),
    row(
        "access logs for a year",
        {"retention.edgeAccessLogDays": 365},
        ("retention.edgeAccessLogDays", "365", "set it to 30 or less"),
    ),
    row(
        "a switch that is neither on nor off",
        {"allowDeletion": "yes"},
        ("allowDeletion", '"yes"', "write true or false, without quotes"),
    ),
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
            "list the paths that the application needs, each with its first part written out",
        ),
    ),
    row(
        "a blocked path that takes the login along",
        {"edge.paths": {"blocked": ["/oauth2*"]}},
        ("edge.paths.blocked", "/oauth2*", "name the paths that are to be blocked more narrowly"),
    ),
    row(
        "everything blocked",
        {"edge.paths": {"blocked": ["/*"]}},
        ("edge.paths.blocked", "/*", "name the paths that are to be blocked more narrowly"),
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
        ("edge.paths.api", "/reports/*, /reports/*", "remove the repeated one"),
    ),
    row(
        "more paths than there is room for",
        {"edge.paths": {"api": [f"/r{n}/*" for n in range(21)]}},
        ("edge.paths.api", "a list of 21", "give at most 20"),
    ),
    row(
        "a rule that counts twice",
        {"edge.countOnlyRules": ["core", "core"]},
        ("edge.countOnlyRules", "core, core", "remove the repeated one"),
    ),
    row(
        "clients from nowhere",
        {"edge.clientCidrBlocks": ["everywhere"]},
        ("edge.clientCidrBlocks[0]", '"everywhere"', FORM),
    ),
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
