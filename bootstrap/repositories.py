"""The image repositories of one account, from which all of its environments pull released images.

Tags are immutable, pushes are scanned, layers are encrypted with the account's key, and no lifecycle rule expires a
released image. ``copy_images.py`` copies the images. Roles of this account need IAM permissions to pull; principals of
other accounts are denied.
"""

import json

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.common.iam import ANYONE, Effect, Statement, policy_document
from releases.manifest import RELEASE_TAG

CANDIDATE_TAG = "candidate-"
"""The tag prefix of images that are built or copied for testing."""
CANDIDATE_DAYS = 14
UNTAGGED_DAYS = 7
MORE_THAN_A_REPOSITORY_HOLDS = 1_000_000
"""ECR's quota is 100,000 images per repository, so a rule with this count expires nothing."""


class ImageRepositoriesArgs(Args):
    """Arguments of ``ImageRepositories``."""

    images: list[str]
    """The images; each gets the repository ``ai-interface/<image>``."""
    account_id: str
    """The only account whose principals have access."""
    key_arn: pulumi.Output[str]
    """The key that encrypts the layers. Changing it replaces the repositories, which fails while they contain images."""
    pipeline_role_pattern: str
    """ARN pattern of CI's roles, which can neither delete nor replace an image."""
    tags: dict[str, str]


class ImageRepositories(pulumi.ComponentResource):
    """One private repository for each image."""

    repository_urls: pulumi.Output[dict[str, str]]
    """Image → ``<account>.dkr.ecr.<region>.amazonaws.com/ai-interface/<image>``."""
    repository_arns: pulumi.Output[dict[str, str]]
    """Image → repository ARN."""

    def __init__(self, name: str, args: ImageRepositoriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = ImageRepositoriesArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:ImageRepositories", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        repositories = {image: self._repository(name, image, args) for image in args.images}
        for image, repository in repositories.items():
            aws.ecr.LifecyclePolicy(
                f"{name}-{image}-lifecycle", repository=repository.id, policy=lifecycle_policy(), opts=child
            )
            aws.ecr.RepositoryPolicy(
                f"{name}-{image}-policy",
                repository=repository.id,
                policy=repository_policy(args.account_id, args.pipeline_role_pattern),
                opts=child,
            )
        self.repository_urls = pulumi.Output.all(**{i: r.repository_url for i, r in repositories.items()})
        self.repository_arns = pulumi.Output.all(**{i: r.arn for i, r in repositories.items()})
        self.register_outputs({"repositoryUrls": self.repository_urls, "repositoryArns": self.repository_arns})

    def _repository(self, name: str, image: str, args: ImageRepositoriesArgs) -> aws.ecr.Repository:
        return aws.ecr.Repository(
            f"{name}-{image}",
            name=f"ai-interface/{image}",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=args.key_arn)
            ],
            force_delete=False,
            tags=args.tags,
            # Environments run these images, so Pulumi refuses to delete them.
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )


def lifecycle_policy() -> str:
    """Candidates and untagged images expire. Released images match the first rule, which expires nothing.

    An image that matches a rule's tags cannot be expired by a rule of lower priority, so an image that is both
    released and a candidate stays. The platform images below a released index have no tag; ECR does not expire an
    image while an index refers to it (ECR user guide, "Automate the cleanup of images by using lifecycle policies").
    """
    rules = [
        _rule(
            1,
            "Released images stay",
            RELEASE_TAG,
            {"countType": "imageCountMoreThan", "countNumber": MORE_THAN_A_REPOSITORY_HOLDS},
        ),
        _rule(2, f"Candidates expire after {CANDIDATE_DAYS} days", CANDIDATE_TAG, _older_than(CANDIDATE_DAYS)),
        _rule(3, f"Untagged images expire after {UNTAGGED_DAYS} days", None, _older_than(UNTAGGED_DAYS)),
    ]
    return json.dumps({"rules": rules}, sort_keys=True, separators=(",", ":"))


def repository_policy(account_id: str, pipeline_role_pattern: str) -> str:
    """Principals of other accounts have no access, and CI's roles cannot delete or replace a released image."""
    return policy_document(
        [
            Statement(
                sid="OnlyThisAccount",
                effect=Effect.DENY,
                principals=ANYONE,
                actions=["ecr:*"],
                conditions={
                    "StringNotEquals": {"aws:PrincipalAccount": [account_id]},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": ["false"]},
                },
            ),
            Statement(
                sid="PipelinesKeepImages",
                effect=Effect.DENY,
                principals=ANYONE,
                actions=[
                    "ecr:BatchDeleteImage",
                    "ecr:DeleteLifecyclePolicy",
                    "ecr:DeleteRepository",
                    "ecr:DeleteRepositoryPolicy",
                    "ecr:PutImageTagMutability",
                    "ecr:PutLifecyclePolicy",
                    "ecr:SetRepositoryPolicy",
                ],
                conditions={"ArnLike": {"aws:PrincipalArn": [pipeline_role_pattern]}},
            ),
        ]
    )


def _rule(priority: int, description: str, tag_prefix: str | None, count: dict[str, str | int]) -> dict[str, object]:
    tags: dict[str, object] = {"tagStatus": "untagged"}
    if tag_prefix is not None:
        tags = {"tagStatus": "tagged", "tagPrefixList": [tag_prefix]}
    return {
        "rulePriority": priority,
        "description": description,
        "selection": {**tags, **count},
        "action": {"type": "expire"},
    }


def _older_than(days: int) -> dict[str, str | int]:
    return {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}
