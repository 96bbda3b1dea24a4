"""What AWS accepts, where both the settings and the components state it: quotas, enumerations and patterns, each once.

The settings import this module and no other of the components. It imports nothing, so it costs a settings reader nothing.
A limit that only one of them states stays beside the code that uses it. Lengths of time are in the unit of the name.
"""

from enum import StrEnum

# -- Application Load Balancer ---------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html


class TlsPolicy(StrEnum):
    """Which TLS clients must speak; both agree on keys in a way that holds against quantum computers where they can."""

    TLS_1_2_RESTRICTED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    """TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only."""
    TLS_1_3_ONLY = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    """TLS 1.3 only: shuts out clients from before about 2019."""


class ClaimFormat(StrEnum):
    """How a claim is written in the token."""

    SINGLE_STRING = "single-string"
    STRING_ARRAY = "string-array"
    SPACE_SEPARATED_VALUES = "space-separated-values"


SESSION_COOKIE = "AWSELBAuthSessionCookie"
"""The default name of the session cookie (API reference, AuthenticateOidcActionConfig)."""
SESSION_SECONDS = (1, 604_800)
"""Least and most of a session's timeout (API reference, AuthenticateOidcActionConfig)."""
IDLE_SECONDS = (1, 4000)
"""Least and most of ``idle_timeout``."""
CLIENT_KEEP_ALIVE_SECONDS = (60, 604_800)
"""Least and most of ``client_keep_alive``."""
DEREGISTRATION_SECONDS = (0, 3600)
"""Least and most of a target group's ``deregistration_delay``."""
RULE_WILDCARDS = 5
"""The most ``*`` and ``?`` in the conditions of one listener rule."""
PATH_PATTERN_CHARACTERS = 128
"""The most characters of a path pattern (API reference, PathPatternConditionConfig)."""
CHECKED_CLAIMS = frozenset({"exp", "iat", "iss", "nbf"})
"""Claims that JWT verification always checks and refuses as further ones (API reference, JwtValidationActionConfig)."""
CLAIM_VALUES = 10
"""The most values of one further claim (API reference, JwtValidationActionAdditionalClaim)."""
FURTHER_CLAIMS = 10
"""The most further claims of one action, the audience included (API reference, JwtValidationActionConfig)."""

# -- VPC --------------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html

SECURITY_GROUP_RULES = 60
"""Rules of a security group in one direction (default quota)."""
CLIENT_BLOCKS = (SECURITY_GROUP_RULES - 1) // 2
"""Blocks of clients that the edge's security group has room for: each uses two rules (ports 80 and 443), path MTU
discovery uses one."""
ZONE_LETTERS = "abcdef"
"""The letters that end the names of availability zones."""

# -- WAF --------------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html

RATE = (10, 2_000_000_000)
"""Least and most of a rate-based rule's limit."""

# -- ECS on Fargate ---------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html


class Architecture(StrEnum):
    """The processor that the images are built for."""

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
"""Least and most of a task's ephemeral storage."""
STOP_SECONDS = (2, 120)
"""Least and most of a container's ``stopTimeout``."""

# -- Aurora Serverless v2 and RDS -------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html

CAPACITY_UNITS = (0.5, 256)
"""Least and most capacity units of an instance that never pauses."""
CAPACITY_STEP = 0.5
LEAST_MAXIMUM_UNITS = 1
"""The least value of the maximum capacity."""
DATABASE_BACKUP_DAYS = (1, 35)
"""Least and most of ``BackupRetentionPeriod``."""

# -- ElastiCache ------------------------------------------------------------------------------------------------------
# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html

CACHE_REPLICAS = 5
"""The most replicas of a primary."""
CACHE_SNAPSHOT_DAYS = 35
"""The most of ``SnapshotRetentionLimit``."""

# -- CloudWatch Logs --------------------------------------------------------------------------------------------------

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs accepts as ``retentionInDays`` (API reference, PutRetentionPolicy)."""

# -- Not AWS's: limits of this project that both enforce --------------------------------------------------------------

ACCESS_LOG_DAYS = 30
"""The most days that ALB access logs are kept: they contain full request lines."""
UPLOAD_LOG_DAYS = 90
"""The most days that the record of requests to the uploads is kept: it contains file names."""
PROMPT_RECORD_DAYS = 365
"""The most days that recorded prompts are kept."""
DATABASE_INSTANCES = 3
"""The most instances of the database: one in each zone."""
LEAST_BACKUP_DAYS = 7
"""The fewest days that AWS Backup keeps its copies."""
DATABASE_PORT, CACHE_PORT = 5432, 6379
"""The ports of PostgreSQL and Valkey."""
ACL_PORT_NUMBERS = 3000
"""Entries of a network ACL are numbered by port modulo this, so that they stay below AWS's highest number, 32766."""
VPC_PREFIX_LENGTHS = (16, 20)
"""Largest and smallest VPC, by the length of its prefix."""
