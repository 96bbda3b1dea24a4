"""One environment as the documents of CI's roles see it: its account, what its resources are called, its tags."""

from dataclasses import dataclass

from bootstrap.configuration import SHARED
from components.common.iam import Conditions, Statement

PROVIDER_HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
PROJECT = "ai-interface"
PIPELINE_PATH = "/ai-interface-pipeline/"
"""CI's own roles and the boundaries lie here; no deployed role does."""
GENERATED_SECRETS = ("state-*", "workload-*")
"""Names of the secrets that the main project generates: Pulumi begins each with its logical name."""
GENERATED_BUCKETS = ("edge-*", "prompts-*", "state-*")
"""Names of the buckets that the main project makes."""
DATABASE_SECRETS = "rds!cluster-*"
"""Names of the master secrets that RDS makes. Nobody else can: Secrets Manager refuses the sign to its users."""
KEY_ALIASES = ("", "-state")
"""What follows ``ai-interface-<environment>`` in the names of the environment's keys."""
OBJECTS = ["s3:DeleteObject*", "s3:GetObject*", "s3:PutObject*", "s3:RestoreObject"]
"""What reads or changes what is in a bucket: users' files and logs, and Pulumi's state."""


@dataclass(frozen=True)
class Scope:
    """One environment in one account."""

    account_id: str
    region: str
    environment: str
    hosted_zone_id: str | None = None
    state_bucket: str | None = None
    """Where Pulumi's state is, unless Pulumi Cloud has it."""

    @property
    def state_objects(self) -> list[str]:
        """The objects of the state; none with Pulumi Cloud."""
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
        """The same tags, as a request that creates a resource carries them."""
        return {key.replace("ResourceTag", "RequestTag"): value for key, value in self.tagged.items()}

    @property
    def keeps_its_tags(self) -> Conditions:
        """Changes of tags that leave those two alone: the request is about a resource of this environment, and sets
        neither to anything else. A request names only the tags that change, so it need not name them."""
        return {"StringEquals": self.tagged, "StringEqualsIfExists": self.tagging}

    @property
    def loses_other_tags(self) -> Conditions:
        """Removals of tags other than those two, from a resource of this environment."""
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
        """The roles that the main project makes."""
        return f"arn:aws:iam::{self.account_id}:role/ai-interface/{self.environment}/*"

    @property
    def boundary(self) -> str:
        """The ARN of the boundary that those roles carry."""
        return f"arn:aws:iam::{self.account_id}:policy{PIPELINE_PATH}{boundary_name(self.environment)}"

    def of(self, service: str, resource: str) -> str:
        """A regional ARN in this account."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"


def boundary_name(environment: str) -> str:
    """The name of the policy that bounds an environment's deployed roles."""
    return f"ai-interface-{environment}-workload-boundary"


def read_secrets(scope: Scope) -> list[Statement]:
    """Reading the environment's secrets, which a comparison of the state needs.

    Generated secrets are encrypted with the environment's own keys, named ones with the account's key, which is tagged
    ``shared``; another environment's key decrypts nothing here."""
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
