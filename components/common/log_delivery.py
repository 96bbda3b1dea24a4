"""The permission for AWS's log delivery to write to a log group."""

from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document


def delivery_policy(group_arn: str, account_id: str, region: str) -> str:
    """The resource policy that allows ``delivery.logs.amazonaws.com`` to write to this group, for this account only."""
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
