"""CI's identity: GitHub's OIDC provider and four roles for each environment, without access keys.

``preview`` only reads, ``images`` copies images into the account's repositories, ``deploy`` changes everything else, and
``record`` signs the record of deployments and can do nothing else. Only jobs in the GitHub environments
``<environment>-preview``, ``<environment>-images``, ``<environment>`` and ``<environment>-record`` can assume them, so the
protection rules of those GitHub environments (reviewers, branches) control who can deploy. Create these environments in
GitHub. ``role_documents.py`` contains the roles' permissions.
"""

from typing import Optional

import pulumi
import pulumi_aws as aws

from bootstrap.role_boundaries import pipeline_boundary, workload_boundary
from bootstrap.role_documents import deploy_policies, images_policy, preview_policy, trust_policy
from bootstrap.role_scope import AUDIENCE, PIPELINE_PATH, PROVIDER_HOST, Scope, boundary_name
from components.args import Args

SESSION_SECONDS = 3600
"""How long a job's credentials last, in seconds. A longer deployment fails before it is complete and must be run
again."""


class PipelineIdentityArgs(Args):
    """Arguments of ``PipelineIdentity``."""

    existing_provider_arn: Optional[str] = None  # noqa: UP045 - as in every component's arguments
    """The account's OIDC provider for GitHub. Omitted: it is created. An account cannot have two."""
    tags: dict[str, str]


class PipelineIdentity(pulumi.ComponentResource):
    """The account's OIDC provider for the tokens of GitHub jobs."""

    provider_arn: pulumi.Output[str]
    """The OIDC provider's ARN."""

    def __init__(self, name: str, args: PipelineIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PipelineIdentityArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:PipelineIdentity", name, {}, opts)
        if args.existing_provider_arn is not None:
            self.provider_arn = pulumi.Output.from_input(args.existing_provider_arn)
        else:
            self.provider_arn = aws.iam.OpenIdConnectProvider(
                f"{name}-provider",
                url=f"https://{PROVIDER_HOST}",
                client_id_lists=[AUDIENCE],
                tags=args.tags,
                # Other projects of the account may use the provider, so Pulumi refuses to delete it.
                opts=pulumi.ResourceOptions(parent=self, protect=True),
            ).arn
        self.register_outputs({"providerArn": self.provider_arn})


class PipelineRolesArgs(Args):
    """Arguments of ``PipelineRoles``."""

    environment: str
    region: str
    account_id: str
    provider_arn: pulumi.Output[str]
    """The OIDC provider whose tokens the roles trust."""
    repository: str
    """``owner/name`` of the GitHub repository whose jobs assume the roles."""
    hosted_zone_id: Optional[str] = None  # noqa: UP045
    """The zone whose records ``deploy`` may change. Omitted: it cannot change DNS records."""
    state_bucket: Optional[str] = None  # noqa: UP045
    """The bucket with Pulumi's state. Omitted: the state is in Pulumi Cloud."""
    tags: dict[str, str]


class PipelineRoles(pulumi.ComponentResource):
    """One environment's roles ``preview``, ``images``, ``deploy`` and ``record``, and the boundary of the deployed roles."""

    preview_role_arn: pulumi.Output[str]
    """Assumed by jobs in the GitHub environment ``<environment>-preview``."""
    images_role_arn: pulumi.Output[str]
    """Assumed by jobs in the GitHub environment ``<environment>-images``."""
    deploy_role_arn: pulumi.Output[str]
    """Assumed by jobs in the GitHub environment ``<environment>``."""
    record_role_arn: pulumi.Output[str]
    """Assumed by jobs in the GitHub environment ``<environment>-record``. It has no policy: the policy of the key that signs
    the record names it."""
    workload_boundary_arn: pulumi.Output[str]
    """The permissions boundary of every role that the main project creates."""

    def __init__(self, name: str, args: PipelineRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PipelineRolesArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:PipelineRoles", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        scope = Scope(args.account_id, args.region, args.environment, args.hosted_zone_id, args.state_bucket)
        self.workload_boundary_arn = self._policy(
            "workload-boundary", boundary_name(args.environment), workload_boundary(scope)
        ).arn
        boundary = self._policy(
            "pipeline-boundary", f"ai-interface-{args.environment}-pipeline-boundary", pipeline_boundary(scope)
        )
        preview = self._role("preview", f"{args.environment}-preview", boundary)
        deploy = self._role("deploy", args.environment, boundary)
        self._attach(preview, "preview", {"read": preview_policy(scope)})
        self._attach(deploy, "deploy", deploy_policies(scope))
        copying = self._policy("images-copy", f"ai-interface-{args.environment}-images-copy", images_policy(scope))
        images = self._role("images", f"{args.environment}-images", copying)
        self._attached(images, "images-copy", copying)
        self.preview_role_arn = preview.arn
        self.images_role_arn = images.arn
        self.deploy_role_arn = deploy.arn
        self.record_role_arn = self._role("record", f"{args.environment}-record", boundary).arn
        self.register_outputs(
            {
                "previewRoleArn": self.preview_role_arn,
                "imagesRoleArn": self.images_role_arn,
                "deployRoleArn": self.deploy_role_arn,
                "recordRoleArn": self.record_role_arn,
                "workloadBoundaryArn": self.workload_boundary_arn,
            }
        )

    def _policy(self, role: str, physical_name: str, document: str) -> aws.iam.Policy:
        return aws.iam.Policy(
            f"{self._name}-{role}",
            name=physical_name,
            path=PIPELINE_PATH,
            policy=document,
            tags=self._args.tags,
            opts=self._child,
        )

    def _role(self, role: str, github_environment: str, boundary: aws.iam.Policy) -> aws.iam.Role:
        repository = self._args.repository
        return aws.iam.Role(
            f"{self._name}-{role}",
            # The workflows refer to the role by name, so the name is set explicitly.
            name=f"ai-interface-{self._args.environment}-{role}",
            path=PIPELINE_PATH,
            description=f"{role} of {self._args.environment} by {repository}, GitHub environment {github_environment}",
            assume_role_policy=self._args.provider_arn.apply(
                lambda arn: trust_policy(arn, repository, github_environment)
            ),
            permissions_boundary=boundary.arn,
            max_session_duration=SESSION_SECONDS,
            tags=self._args.tags,
            opts=self._child,
        )

    def _attach(self, role: aws.iam.Role, role_name: str, documents: dict[str, str]) -> None:
        for part, document in documents.items():
            policy = self._policy(
                f"{role_name}-{part}", f"ai-interface-{self._args.environment}-{role_name}-{part}", document
            )
            self._attached(role, f"{role_name}-{part}", policy)

    def _attached(self, role: aws.iam.Role, name: str, policy: aws.iam.Policy) -> None:
        aws.iam.RolePolicyAttachment(f"{self._name}-{name}", role=role.id, policy_arn=policy.arn, opts=self._child)
