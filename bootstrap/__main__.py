"""Sets up one account: image repositories, named secrets, and CI's identity provider and roles."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # This project imports the main project's packages.

from bootstrap.account_baseline import AccountBaseline, AccountBaselineArgs
from bootstrap.account_key import AccountKey, AccountKeyArgs
from bootstrap.configuration import SHARED, BootstrapSettings
from bootstrap.named_secrets import NamedSecrets, NamedSecretsArgs
from bootstrap.on_call import OnCallRole, OnCallRoleArgs
from bootstrap.pipelines import PipelineIdentity, PipelineIdentityArgs, PipelineRoles, PipelineRolesArgs
from bootstrap.record_key import RecordKey, RecordKeyArgs
from bootstrap.repositories import ImageRepositories, ImageRepositoriesArgs
from bootstrap.role_scope import PIPELINE_PATH
from releases.manifest import IMAGES

settings = BootstrapSettings.load()
account_id, region, ci = settings.account_id, settings.region, settings.continuous_integration
tags = {"owner": settings.owner.team, "environment": SHARED, "project": "ai-interface"}

baseline = settings.account_baseline
key = AccountKey(
    "account",
    AccountKeyArgs(account_id=account_id, region=region, encrypts_logs=baseline.trail or baseline.config, tags=tags),
)
if any((baseline.trail, baseline.guard_duty, baseline.config, baseline.access_analyzer)):
    AccountBaseline(
        "baseline",
        AccountBaselineArgs(
            account_id=account_id, region=region, key_arn=key.key_arn, **baseline.model_dump(), tags=tags
        ),
    )
repositories = ImageRepositories(
    "images",
    ImageRepositoriesArgs(
        images=list(IMAGES),
        account_id=account_id,
        key_arn=key.key_arn,
        pipeline_role_pattern=f"arn:aws:iam::{account_id}:role{PIPELINE_PATH}*",
        tags=tags,
    ),
)
identity = PipelineIdentity("pipeline", PipelineIdentityArgs(existing_provider_arn=ci.existing_provider_arn, tags=tags))
pulumi.export("repositoryUrls", repositories.repository_urls)

for environment in settings.environments:
    own_tags = {**tags, "environment": environment.name}
    secrets = NamedSecrets(
        f"{environment.name}-secrets",
        NamedSecretsArgs(
            environment=environment.name,
            account_id=account_id,
            key_arn=key.key_arn,
            model_keys=list(environment.model_keys),
            alert_endpoints=list(environment.alert_endpoints),
            tags=own_tags,
        ),
    )
    roles = PipelineRoles(
        f"{environment.name}-pipeline",
        PipelineRolesArgs(
            environment=environment.name,
            region=region,
            account_id=account_id,
            provider_arn=identity.provider_arn,
            repository=ci.repository,
            hosted_zone_id=environment.hosted_zone_id,
            state_bucket=environment.state_bucket,
            tags=own_tags,
        ),
    )
    RecordKey(
        f"{environment.name}-record",
        RecordKeyArgs(
            environment=environment.name, account_id=account_id, signer_role_arn=roles.record_role_arn, tags=tags
        ),
    )
    on_call = (
        OnCallRole(
            f"{environment.name}-on-call",
            OnCallRoleArgs(
                environment=environment.name,
                region=region,
                account_id=account_id,
                principals=list(settings.on_call.principals),
                tags=own_tags,
            ),
        )
        if settings.on_call
        else None
    )
    pulumi.export(
        environment.name,
        {
            **({"onCallRoleArn": on_call.role_arn} if on_call else {}),
            "secretNames": secrets.secret_names,
            "previewRoleArn": roles.preview_role_arn,
            "imagesRoleArn": roles.images_role_arn,
            "deployRoleArn": roles.deploy_role_arn,
            "recordRoleArn": roles.record_role_arn,
            "workloadBoundaryArn": roles.workload_boundary_arn,
        },
    )
