"""The task's permissions on ``bedrock-mantle``, Bedrock's second endpoint, as IAM documents generated from the declared model
groups.

It is a separate service in IAM. A call is authorized against a project of the account, the model is a condition key, and no
condition key names a guardrail
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html): what these statements allow passes
no guardrail.
"""

from collections.abc import Iterable, Sequence

from components.common.iam import Effect, Statement
from components.models.iam_documents import ModelGroupArgs

INFER = "bedrock-mantle:CreateInference"
"""The IAM action that authorizes Chat Completions, with and without a stream."""

MODEL = "bedrock-mantle:Model"
"""The condition key with the model of a call."""


def mantle_regions(groups: Iterable[ModelGroupArgs]) -> list[str]:
    """The regions whose ``bedrock-mantle`` is called, sorted."""
    return sorted({region for group in groups for up in group.upstreams if (region := up.mantle_region)})


def mantle_statements(groups: Sequence[ModelGroupArgs], account_id: str) -> list[Statement]:
    """The task role's statements: calls of the declared models in the account's default project, and no API key. A request
    that names another project is denied: a project may keep requests for another time
    (https://docs.aws.amazon.com/bedrock/latest/userguide/projects.html)."""
    statements = [
        Statement(
            sid=f"InferWithListedModels{region.replace('-', '')}",
            actions=[INFER],
            resources=[f"arn:aws:bedrock-mantle:{region}:{account_id}:project/default"],
            conditions={"StringEquals": {MODEL: _models(groups, region)}},
        )
        for region in mantle_regions(groups)
    ]
    if not statements:
        return []
    tokens = ["bedrock-mantle:CallWithBearerToken"]
    return [
        *statements,
        Statement(sid="RefuseMantleBearerTokens", effect=Effect.DENY, actions=tokens, resources=["*"]),
    ]


def _models(groups: Iterable[ModelGroupArgs], region: str) -> list[str]:
    """The declared models in one region, sorted."""
    here = (group for group in groups if any(up.mantle_region == region for up in group.upstreams))
    return sorted({model for group in here for model in group.models})
