"""The scope of one environment in the documents of CI's roles: its account, and its resources' names and tags."""

from dataclasses import dataclass

from bootstrap.configuration import SHARED
from components.common.iam import Conditions, Statement

PROVIDER_HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
PROJECT = "ai-interface"
PIPELINE_PATH = "/ai-interface-pipeline/"
"""The path of CI's roles and of the boundaries. Deployed roles have a different path."""
GENERATED_SECRETS = ("egress-*", "gateway-*", "state-*", "workload-*")
"""Name patterns of the secrets that the main project generates: each begins with its logical name."""
GENERATED_BUCKETS = ("edge-*", "prompts-*", "state-*")
"""Name patterns of the buckets that the main project creates."""
DATABASE_SECRETS = "rds!cluster-*"
"""Name pattern of RDS's master secrets. No user can create such a secret: Secrets Manager reserves the ``!``."""
KEY_ALIASES = ("", "-state")
"""Suffixes after ``ai-interface-<environment>`` in the aliases of the environment's keys."""
OBJECTS = ["s3:DeleteObject*", "s3:GetObject*", "s3:PutObject*", "s3:RestoreObject"]
"""Actions on the objects in a bucket: users' files, logs, and Pulumi's state."""


@dataclass(frozen=True)
class Scope:
    """One environment in one account."""

    account_id: str
    region: str
    environment: str
    hosted_zone_id: str | None = None
    state_bucket: str | None = None
    """The bucket with Pulumi's state; ``None`` if it is in Pulumi Cloud."""

    @property
    def state_objects(self) -> list[str]:
        """The ARN patterns of the state's objects; empty with Pulumi Cloud."""
        return [f"arn:aws:s3:::{self.state_bucket}/*"] if self.state_bucket else []

    @property
    def tagged(self) -> dict[str, list[str]]:
        """The tags that every resource of this environment has, as condition keys."""
        return {
            "aws:ResourceTag/environment": [self.environment],
            "aws:ResourceTag/project": [PROJECT],
        }

    @property
    def tagging(self) -> dict[str, list[str]]:
        """The same tags, as condition keys of a request that creates a resource."""
        return {key.replace("ResourceTag", "RequestTag"): value for key, value in self.tagged.items()}

    @property
    def keeps_its_tags(self) -> Conditions:
        """Conditions for tag changes that preserve these two tags: the resource belongs to this environment, and the
        request sets neither tag to another value. A request contains only the tags that change, so it need not contain
        these two."""
        return {"StringEquals": self.tagged, "StringEqualsIfExists": self.tagging}

    @property
    def loses_other_tags(self) -> Conditions:
        """Conditions for removing other tags from a resource of this environment."""
        return {
            "StringEquals": self.tagged,
            "ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": ["environment", "project"]},
        }

    @property
    def in_region(self) -> Conditions:
        """Requests to this region's endpoints."""
        return {"StringEquals": {"aws:RequestedRegion": [self.region]}}

    @property
    def roles(self) -> str:
        """The roles that the main project creates."""
        return f"arn:aws:iam::{self.account_id}:role/ai-interface/{self.environment}/*"

    @property
    def boundary(self) -> str:
        """The ARN of those roles' permissions boundary."""
        return f"arn:aws:iam::{self.account_id}:policy{PIPELINE_PATH}{boundary_name(self.environment)}"

    def of(self, service: str, resource: str) -> str:
        """A regional ARN in this account."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"


def boundary_name(environment: str) -> str:
    """The name of the permissions boundary of an environment's deployed roles."""
    return f"ai-interface-{environment}-workload-boundary"


def read_secrets(scope: Scope) -> list[Statement]:
    """Permissions to read the environment's secrets, which a comparison with the state requires.

    Generated secrets are encrypted with the environment's keys, named secrets with the account's key, which is tagged
    ``shared``. Other environments' keys are excluded."""
    return [
        Statement(
            sid="ReadOwnSecrets",
            actions=["secretsmanager:GetSecretValue"],
            resources=[scope.of("secretsmanager", "secret:*")],
            conditions={"StringEquals": scope.tagged},
        ),
        Statement(
            sid="DecryptOwnSecrets",
            actions=["kms:Decrypt"],
            resources=[scope.of("kms", "key/*")],
            conditions={
                "StringEquals": {
                    "aws:ResourceTag/environment": [scope.environment, SHARED],
                    "aws:ResourceTag/project": [PROJECT],
                    "kms:ViaService": [f"secretsmanager.{scope.region}.amazonaws.com"],
                }
            },
        ),
    ]
