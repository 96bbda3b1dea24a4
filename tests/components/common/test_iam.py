"""Policy documents: rendering, determinism and what is refused."""

import json

import pytest

from components.common.iam import ANYONE, Effect, Statement, policy_document, render, service_trust


def test_a_document_lists_sorted_distinct_values_and_keeps_the_order_of_statements() -> None:
    document = policy_document(
        [
            Statement(sid="Second", actions=["s3:PutObject", "s3:GetObject", "s3:GetObject"], resources=["b", "a"]),
            Statement(
                sid="First",
                effect=Effect.DENY,
                actions=["s3:*"],
                resources=["*"],
                principals=ANYONE,
                conditions={"Bool": {"aws:SecureTransport": ["false"]}},
            ),
        ]
    )

    assert json.loads(document) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Second", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["a", "b"]},
            {
                "Sid": "First",
                "Effect": "Deny",
                "Action": ["s3:*"],
                "Resource": ["*"],
                "Principal": "*",
                "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
            },
        ],
    }


def test_the_order_of_values_does_not_change_the_document() -> None:
    one = policy_document([Statement(sid="A", actions=["x:A", "x:B"], resources=["r1", "r2"])])
    other = policy_document([Statement(sid="A", actions=["x:B", "x:A"], resources=["r2", "r1"])])

    assert one == other


def test_a_trust_policy_names_the_service_and_has_no_resource() -> None:
    assert json.loads(service_trust("ecs-tasks.amazonaws.com", {"StringEquals": {"aws:SourceAccount": ["1"]}})) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AssumedByService",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"Service": ["ecs-tasks.amazonaws.com"]},
                "Condition": {"StringEquals": {"aws:SourceAccount": ["1"]}},
            }
        ],
    }


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ([], "at least one statement"),
        ([Statement(sid="A", actions=[])], "has no action"),
        ([Statement(sid="A", actions=["x:A"]), Statement(sid="A", actions=["x:B"])], "A occurs more than once"),
        ([Statement(sid="A-B", actions=["x:A"])], "letters and digits only"),
    ],
)
def test_what_is_always_a_mistake_is_refused(statements: list[Statement], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        policy_document(statements)


def test_a_string_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a list"):
        policy_document([Statement(sid="A", actions="s3:GetObject")])


def test_a_denial_may_leave_resources_out_and_nothing_else_may() -> None:
    denial = Statement(sid="S", actions=["s3:GetObject"], effect=Effect.DENY, not_resources=["arn:aws:s3:::b/*"])
    assert render(denial) == {
        "Sid": "S",
        "Effect": "Deny",
        "Action": ["s3:GetObject"],
        "NotResource": ["arn:aws:s3:::b/*"],
    }
    for wrong in (
        Statement(sid="S", actions=["s3:GetObject"], not_resources=["arn:aws:s3:::b/*"]),
        Statement(sid="S", actions=["s3:GetObject"], effect=Effect.DENY, resources=["*"], not_resources=["a"]),
    ):
        with pytest.raises(ValueError, match="only a denial"):
            render(wrong)
