"""The permission that AWS's log delivery needs to write to a log group."""

from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document


def delivery_policy(group_arn: str, account_id: str, region: str) -> str:
    """The resource policy for logs that ``delivery.logs.amazonaws.com`` writes: this group, from this account."""
    return policy_document(
        [
            Statement(
                sid="LogDelivery",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"{group_arn.removesuffix(':*')}:log-stream:*"],
                principals={"Service": ["delivery.logs.amazonaws.com"]},
                conditions={
                    "StringEquals": {SOURCE_ACCOUNT: [account_id]},
                    "ArnLike": {SOURCE_ARN: [f"arn:aws:logs:{region}:{account_id}:*"]},
                },
            )
        ]
    )
