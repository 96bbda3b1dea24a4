"""What the bootstrap program creates in an account."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from bootstrap.account_key import key_policy
from bootstrap.configuration import BootstrapSettings
from bootstrap.named_secrets import secret_policy
from bootstrap.repositories import lifecycle_policy, repository_policy
from preflight.recording.recorder import RecordedResource, Recording
from settings import SettingsError
from tests.bootstrap.program import PREFIX, run_bootstrap, stack_file
from tests.settings.stack_files import own_values
from tests.settings.stack_files import stack_file as main_stack_file

STACKS = {"staging": "111122223333", "prod": "444455556666"}
PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"


@pytest.fixture(scope="module", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return run_bootstrap(request.param)


def inputs(recording: Recording, type_: str) -> dict[str, dict[str, Any]]:
    """Logical name → inputs."""
    return {r.name: dict(r.inputs) for r in recording.of_type(type_)}


def named(recording: Recording, name: str) -> RecordedResource:
    """The resource with a logical name."""
    (found,) = [r for r in recording.resources if r.name == name]
    return found


def test_an_account_gets_exactly_these_resources(recording: Recording) -> None:
    found = Counter(r.type for r in recording.resources if r.type.startswith("aws:"))
    assert found == {
        "aws:ecr/lifecyclePolicy:LifecyclePolicy": 3,
        "aws:ecr/repository:Repository": 3,
        "aws:ecr/repositoryPolicy:RepositoryPolicy": 3,
        PROVIDER: 1,
        "aws:iam/policy:Policy": 11,
        "aws:iam/role:Role": 5,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": 8,
        "aws:kms/alias:Alias": 2,
        "aws:kms/key:Key": 2,
        "aws:secretsmanager/secret:Secret": 1,
        "aws:secretsmanager/secretPolicy:SecretPolicy": 1,
    }


def test_every_resource_belongs_to_a_component(recording: Recording) -> None:
    components = {r.urn for r in recording.resources if r.type.startswith("ai-interface:bootstrap:")}
    assert len(components) == 7
    assert all(r.parent in components for r in recording.resources if r.type.startswith("aws:"))


def test_what_cannot_be_made_again_is_protected_and_nothing_else(recording: Recording) -> None:
    assert {r.type for r in recording.resources if r.protect} == {
        "aws:ecr/repository:Repository",
        PROVIDER,
        "aws:kms/key:Key",
        "aws:secretsmanager/secret:Secret",
    }


def test_every_taggable_resource_names_owner_and_project(recording: Recording) -> None:
    tagged = [r.inputs["tags"] for r in recording.resources if "tags" in r.inputs]
    assert len(tagged) == 23
    assert {(tags["owner"], tags["project"]) for tags in tagged} == {("ai-platform", "ai-interface")}


def test_key_and_repositories_carry_no_environments_tag_so_that_ci_cannot_change_them(recording: Recording) -> None:
    found = {(r.type, r.inputs["tags"]["environment"]) for r in recording.resources if "tags" in r.inputs}
    assert found == {
        ("aws:ecr/repository:Repository", "shared"),
        ("aws:iam/policy:Policy", recording.stack),
        ("aws:iam/role:Role", recording.stack),
        ("aws:kms/key:Key", "shared"),
        ("aws:secretsmanager/secret:Secret", recording.stack),
        (PROVIDER, "shared"),
    }


def test_repositories_are_immutable_scanned_and_encrypted_with_the_accounts_key(recording: Recording) -> None:
    key = named(recording, "account-key")
    repositories = inputs(recording, "aws:ecr/repository:Repository")
    assert {r["name"] for r in repositories.values()} == {
        f"ai-interface/{name}" for name in ("proxy", "interface", "gateway")
    }
    for repository in repositories.values():
        assert repository["imageTagMutability"] == "IMMUTABLE"
        assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
        assert repository["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": key.outputs["arn"]}]
        assert repository["forceDelete"] is False


def test_the_key_rotates_and_its_policy_is_this() -> None:
    key = named(run_bootstrap("prod"), "account-key").inputs
    assert (key["enableKeyRotation"], key["deletionWindowInDays"]) == (True, 30)
    assert json.loads(key["policy"]) == json.loads(key_policy("444455556666"))
    assert json.loads(key["policy"])["Statement"] == [
        {
            "Sid": "RolesOfThisAccount",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::444455556666:root"]},
            "Action": ["kms:*"],
            "Resource": ["*"],
        }
    ]


def test_lifecycle_rules_expire_candidates_and_untagged_images_and_never_a_release() -> None:
    expire = {"type": "expire"}
    assert json.loads(lifecycle_policy()) == {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Released images stay",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPrefixList": ["release-"],
                    "countType": "imageCountMoreThan",
                    "countNumber": 1_000_000,
                },
                "action": expire,
            },
            {
                "rulePriority": 2,
                "description": "Candidates expire after 14 days",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPrefixList": ["candidate-"],
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": expire,
            },
            {
                "rulePriority": 3,
                "description": "Untagged images expire after 7 days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 7,
                },
                "action": expire,
            },
        ]
    }


OUTSIDERS = {
    "StringNotEquals": {"aws:PrincipalAccount": ["111122223333"]},
    "BoolIfExists": {"aws:PrincipalIsAWSService": ["false"]},
}


def test_the_repository_policy_is_this() -> None:
    roles = "arn:aws:iam::111122223333:role/ai-interface-pipeline/*"
    assert json.loads(repository_policy("111122223333", roles))["Statement"] == [
        {"Sid": "OnlyThisAccount", "Effect": "Deny", "Principal": "*", "Action": ["ecr:*"], "Condition": OUTSIDERS},
        {
            "Sid": "PipelinesKeepImages",
            "Effect": "Deny",
            "Principal": "*",
            "Action": [
                "ecr:BatchDeleteImage",
                "ecr:DeleteLifecyclePolicy",
                "ecr:DeleteRepository",
                "ecr:DeleteRepositoryPolicy",
                "ecr:PutImageTagMutability",
                "ecr:PutLifecyclePolicy",
                "ecr:SetRepositoryPolicy",
            ],
            "Condition": {"ArnLike": {"aws:PrincipalArn": [roles]}},
        },
    ]


def test_the_secret_policy_is_this() -> None:
    assert json.loads(secret_policy("111122223333"))["Statement"] == [
        {
            "Sid": "OnlyThisAccount",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["secretsmanager:*"],
            "Resource": ["*"],
            "Condition": OUTSIDERS,
        }
    ]


def test_a_named_secret_exists_without_any_value(recording: Recording) -> None:
    (secret,) = inputs(recording, "aws:secretsmanager/secret:Secret").values()
    assert secret["name"] == f"ai-interface/{recording.stack}/oidc-client-secret"
    assert secret["recoveryWindowInDays"] == 30
    assert not recording.of_type("aws:secretsmanager/secretVersion:SecretVersion")
    assert "secretString" not in json.dumps([r.inputs for r in recording.resources])


@pytest.mark.parametrize(("names", "role"), [("modelKeys", "model-key"), ("alertEndpoints", "alert")])
def test_a_model_key_and_a_pagers_url_get_a_separate_secret_without_a_value(names: str, role: str) -> None:
    (environment,) = stack_file("staging")[PREFIX + "environments"]
    made = run_bootstrap("staging", environments=[{**environment, names: ["llm"]}])
    client, key = sorted(made.of_type("aws:secretsmanager/secret:Secret"), key=lambda one: one.name, reverse=True)
    assert key.inputs["name"] == f"ai-interface/staging/{role}-llm"
    differing = {"name", "description"}
    assert {k: v for k, v in key.inputs.items() if k not in differing} == {
        k: v for k, v in client.inputs.items() if k not in differing
    }
    assert made.of_type("aws:secretsmanager/secretVersion:SecretVersion") == []
    policies = {
        one.inputs["secretArn"]: one.inputs["policy"]
        for one in made.of_type("aws:secretsmanager/secretPolicy:SecretPolicy")
    }
    assert set(policies) == {key.outputs["arn"], client.outputs["arn"]}


def test_an_existing_provider_is_used_and_none_is_created() -> None:
    arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    ci = {"repository": "example/ai-interface", "existingProviderArn": arn}
    recording = run_bootstrap("staging", continuousIntegration=ci)
    roles = inputs(recording, "aws:iam/role:Role").values()
    principals = [json.loads(r["assumeRolePolicy"])["Statement"][0]["Principal"] for r in roles]
    trusted = {one["Federated"][0] for one in principals if "Federated" in one}
    assert not recording.of_type(PROVIDER)
    assert trusted == {arn}


def test_a_created_provider_gives_tokens_for_sts_only(recording: Recording) -> None:
    (provider,) = inputs(recording, PROVIDER).values()
    assert provider["url"] == "https://token.actions.githubusercontent.com"
    assert provider["clientIdLists"] == ["sts.amazonaws.com"]


def test_two_environments_in_one_account_share_images_and_the_accounts_key_and_nothing_else() -> None:
    recording = run_bootstrap("staging", environments=[{"name": "staging"}, {"name": "review"}])
    found = Counter(r.type for r in recording.resources)
    assert (found["aws:ecr/repository:Repository"], found["aws:kms/key:Key"], found[PROVIDER]) == (3, 3, 1)
    assert {s["name"] for s in inputs(recording, "aws:secretsmanager/secret:Secret").values()} == {
        "ai-interface/staging/oidc-client-secret",
        "ai-interface/review/oidc-client-secret",
    }
    assert {r["name"] for r in inputs(recording, "aws:iam/role:Role").values()} == {
        f"ai-interface-{environment}-{role}"
        for environment in ("staging", "review")
        for role in ("preview", "images", "deploy", "record", "on-call")
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_stack_file_agrees_with_the_main_projects(stack: str) -> None:
    main, own = main_stack_file(stack), stack_file(stack)
    (environment,) = own[f"{PREFIX}environments"]
    values = own_values(stack)
    assert {key: own[key] for key in ("aws:region", "aws:allowedAccountIds")} == {
        key: main[key] for key in ("aws:region", "aws:allowedAccountIds")
    }
    assert environment == {"name": stack, "hostedZoneId": values["domain"]["hostedZoneId"]}
    assert values["identity"]["clientSecretName"] == f"ai-interface/{stack}/oidc-client-secret"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"environments": [{"name": "staging", "modelKeys": ["llm", "llm"]}]},
            ("environments.modelKeys", "llm, llm", "list each name once"),
        ),
        (
            {"environments": [{"name": "staging", "alertEndpoints": ["a1", "a1"]}]},
            ("environments.alertEndpoints", "a1, a1", "list each name once"),
        ),
        ({"environments": []}, ("environments", "a list of 0", "write at least 1")),
        ({"environments": [{"name": "a1"}] * 2}, ("environments", "a1, a1", "name each environment once")),
        ({"environments": [{"name": "shared"}]}, ("environments", "shared", "rename the environment")),
        (
            {"environments": [{"name": "Prod"}]},
            ("environments[0].name", '"Prod"', "write a value of the allowed form"),
        ),
        ({"owner": {"name": "a"}}, ("owner.team", "(not set)", "add team to Pulumi.staging.yaml")),
        (
            {"continuousIntegration": {"repository": "https://github.com/example/x"}},
            ("continuousIntegration.repository", '"https://github.com/example/x"', "write a value of the allowed form"),
        ),
        (
            {
                "continuousIntegration": {
                    "repository": "example/x",
                    "existingProviderArn": "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com",
                }
            },
            (
                "continuousIntegration.existingProviderArn",
                "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com",
                "set the ARN of this account's provider, or remove the key to create one",
            ),
        ),
    ],
)
def test_a_bad_bootstrap_setting_is_named(changes: dict[str, object], expected: tuple[str, str, str]) -> None:
    values = {k.removeprefix(PREFIX): v for k, v in stack_file("staging").items() if k.startswith(PREFIX)}
    with pytest.raises(SettingsError) as caught:
        BootstrapSettings.parse(
            {**values, **changes}, environment="staging", region="eu-west-1", accounts=["111122223333"]
        )
    first = caught.value.problems[0]
    assert (first.key, first.value, first.fix) == (PREFIX + expected[0], *expected[1:])
