"""AWS quotas, enumerations and patterns that both the settings and the components use, each defined once.

This is the only ``components`` module that the settings import. It has no heavy imports, so reading the settings stays
fast. A limit that only one of the two uses is defined next to the code that uses it. The name of a duration contains
its unit.
"""

from enum import StrEnum

# -- Application Load Balancer ---------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html


class TlsPolicy(StrEnum):
    """The TLS versions that clients must support. All policies use post-quantum key exchange with clients that support it; the
    FIPS ones use only AWS's FIPS-validated cryptographic module."""

    TLS_1_2_RESTRICTED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    """TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only."""
    TLS_1_3_ONLY = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    """TLS 1.3 only, which rejects clients from before about 2019."""
    TLS_1_2_FIPS = "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09"
    """As the first, with the FIPS module."""
    TLS_1_3_FIPS = "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09"
    """TLS 1.3 only, with the FIPS module."""


class ClaimFormat(StrEnum):
    """How the token encodes a claim."""

    SINGLE_STRING = "single-string"
    STRING_ARRAY = "string-array"
    SPACE_SEPARATED_VALUES = "space-separated-values"


SESSION_COOKIE = "AWSELBAuthSessionCookie"
"""The default name of the session cookie (API reference, AuthenticateOidcActionConfig)."""
SESSION_SECONDS = (1, 604_800)
"""Minimum and maximum session timeout (API reference, AuthenticateOidcActionConfig)."""
IDLE_SECONDS = (1, 4000)
"""Minimum and maximum ``idle_timeout``."""
CLIENT_KEEP_ALIVE_SECONDS = (60, 604_800)
"""Minimum and maximum ``client_keep_alive``."""
DEREGISTRATION_SECONDS = (0, 3600)
"""Minimum and maximum ``deregistration_delay`` of a target group."""
RULE_WILDCARDS = 5
"""The maximum number of ``*`` and ``?`` in the conditions of one listener rule."""
PATH_PATTERN_CHARACTERS = 128
"""The maximum length of a path pattern (API reference, PathPatternConditionConfig)."""
CHECKED_CLAIMS = frozenset({"exp", "iat", "iss", "nbf"})
"""Claims that JWT verification always checks and does not accept as additional claims (API reference,
JwtValidationActionConfig)."""
CLAIM_VALUES = 10
"""The maximum number of values of one additional claim (API reference, JwtValidationActionAdditionalClaim)."""
FURTHER_CLAIMS = 10
"""The maximum number of additional claims of one action, including the audience (API reference,
JwtValidationActionConfig)."""

# -- VPC --------------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html

SECURITY_GROUP_RULES = 60
"""The maximum number of rules of a security group in one direction (default quota)."""
CLIENT_BLOCKS = (SECURITY_GROUP_RULES - 1) // 2
"""The number of client blocks that fit into the edge's security group: each uses two rules (ports 80 and 443), path MTU
discovery uses one."""
MOST_OFFICE_BLOCKS = 100
"""The maximum number of blocks in the IP set of office networks. AWS accepts 10,000, of any size but /0."""
ZONE_LETTERS = "abcdef"
"""The last letters of availability zone names."""

# -- WAF --------------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html

RATE = (10, 2_000_000_000)
"""Minimum and maximum limit of a rate-based rule."""

# -- ECS on Fargate ---------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html


class Architecture(StrEnum):
    """The processor architecture of the images."""

    X86_64 = "X86_64"
    ARM64 = "ARM64"


FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
"""Task memory in MiB for each number of CPU units (ECS developer guide, task size)."""
EPHEMERAL_GIBIBYTES = (21, 200)
"""Minimum and maximum ephemeral storage of a task."""
STOP_SECONDS = (2, 120)
"""Minimum and maximum ``stopTimeout`` of a container."""

# -- Aurora Serverless v2 and RDS -------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html

CAPACITY_UNITS = (0.5, 256)
"""Minimum and maximum capacity units of an instance that never pauses."""
CAPACITY_STEP = 0.5
LEAST_MAXIMUM_UNITS = 1
"""The minimum value of the maximum capacity."""
DATABASE_BACKUP_DAYS = (1, 35)
"""Minimum and maximum ``BackupRetentionPeriod``."""

# -- ElastiCache ------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html

CACHE_REPLICAS = 5
"""The maximum number of replicas of a primary."""
CACHE_SNAPSHOT_DAYS = 35
"""The maximum ``SnapshotRetentionLimit``."""

# -- Bedrock ----------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html

GLOBAL_PROFILES = "global"
"""The area of profiles that may send a prompt to every commercial region."""
PROFILE_SOURCES: dict[str, tuple[str, ...]] = {
    "apac": ("ap-",),
    "au": ("ap-southeast-",),
    "ca": ("ca-",),
    "eu": ("eu-", "il-"),
    GLOBAL_PROFILES: ("af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-east-", "us-west-"),
    "in": ("ap-south-",),
    "jp": ("ap-northeast-",),
    "us": ("ca-", "us-east-", "us-west-"),
    "us-gov": ("us-gov-",),
}
"""Area of cross-region inference profiles → beginnings of the regions in which such profiles exist. A profile's id is the
area, a dot and the model's id, such as ``eu.amazon.nova-lite-v1:0``."""


def profile_area(model: str) -> str | None:
    """The area of a cross-region inference profile; ``None`` for the id of a model."""
    area, dot, _ = model.partition(".")
    return area if dot and area in PROFILE_SOURCES else None


def foundation_model(model: str) -> str:
    """The id of the model behind a cross-region inference profile; a model's id as it is."""
    return model if profile_area(model) is None else model.partition(".")[2]


# -- CloudWatch Logs --------------------------------------------------------------------------------------------------

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
"""The values of ``retentionInDays`` that CloudWatch Logs accepts (API reference, PutRetentionPolicy)."""

# -- Not AWS's: limits of this project that both enforce --------------------------------------------------------------

ACCESS_LOG_DAYS = 30
"""The maximum retention of ALB access logs in days, because they contain full request lines."""
UPLOAD_LOG_DAYS = 90
"""The maximum retention of the uploads' access log in days, because it contains file names."""
PROMPT_RECORD_DAYS = 365
"""The maximum retention of recorded prompts in days."""
DATABASE_INSTANCES = 3
"""The maximum number of database instances: one in each zone."""
LEAST_BACKUP_DAYS = 7
"""The minimum retention of AWS Backup's copies in days."""
RESTORE_TEST_MONTHS = (0, 1, 2, 3, 4, 6, 12)
"""The months between two restore tests; 0 is none. A cron expression repeats only numbers that divide a year into equal parts."""
BACKUP_VAULT_ARN = r"^arn:aws:backup:[a-z]{2}(-[a-z]+)+-\d:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}$"
"""The ARN of an AWS Backup vault (https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html)."""
KMS_KEY_ARN = r"^arn:aws:kms:[a-z]{2}(-[a-z]+)+-\d:\d{12}:key/[a-zA-Z0-9-]{1,256}$"
"""The ARN of a KMS key, not of an alias: IAM authorizes on the key."""
PROXY_PORT = 8443
"""The port on which the load balancer reaches a task. The private subnets' network ACL allows it from the public subnets
only."""
GATEWAY_PORT = 8444
"""The port on which the gateway to models accepts connections from the interface's proxy."""
DATABASE_PORT, CACHE_PORT = 5432, 6379
"""The ports of PostgreSQL and Valkey."""
ACL_PORT_NUMBERS = 3000
"""Entries of a network ACL are numbered by port modulo this, so that they stay below AWS's highest number, 32766."""
VPC_PREFIX_LENGTHS = (16, 20)
"""Prefix lengths of the largest and the smallest VPC."""
