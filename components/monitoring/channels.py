"""Slack channels that read the messages of alarms, by Amazon Q Developer in chat applications (formerly AWS Chatbot).

By default all members of a channel can run commands in the account as the channel's role, limited by guardrail policies, for
which AWS takes ``AdministratorAccess`` if none is named. Here a channel only reads: its role has no permission, the guardrail denies
everything, and a command would need a separate role for each person. So a message comes without the graph of its metric, which
the service reads with the channel's role.

The topics' key needs no statement for the service: SNS decrypts a message before it delivers it, and the publishers have theirs
(https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). The service subscribes to the topics with its linked role
(https://docs.aws.amazon.com/chatbot/latest/adminguide/using-service-linked-roles.html).
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.common.iam import service_trust

NOTHING = "arn:aws:iam::aws:policy/AWSDenyAll"
"""https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSDenyAll.html"""


class SlackChannelArgs(Args):
    """One Slack channel that gets alarms."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Part of the names; unique among the channels."""
    severities: list[str] = Field(min_length=1)
    """``page``, ``ticket`` or both."""
    workspace_id: str = Field(pattern=r"^[0-9A-Z]{1,255}$")
    """The workspace's id. An administrator authorizes the workspace in the console first."""
    channel_id: str = Field(pattern=r"^[A-Za-z0-9]{1,255}$")
    """The channel's id."""


def make_channels(
    name: str,
    environment: str,
    channels: Sequence[SlackChannelArgs],
    topics: Mapping[str, pulumi.Output[str]],
    *,
    tags: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Creates the channels' configurations, and the role that they share. ``topics``: severity → ARN."""
    if not channels:
        return
    role = aws.iam.Role(
        f"{name}-channels",
        # AWS documents no condition key that the service sends when it assumes the role.
        assume_role_policy=service_trust("chatbot.amazonaws.com", {}),
        tags=tags,
        opts=opts,
    )
    for one in channels:
        aws.chatbot.SlackChannelConfiguration(
            f"{name}-channel-{one.name}",
            configuration_name=f"ai-interface-{environment}-{one.name}",
            iam_role_arn=role.arn,
            slack_team_id=one.workspace_id,
            slack_channel_id=one.channel_id,
            sns_topic_arns=[topics[severity] for severity in sorted(set(one.severities))],
            guardrail_policy_arns=[NOTHING],
            user_authorization_required=True,
            # Its log would be in another region, without retention.
            logging_level="NONE",
            tags=tags,
            opts=opts,
        )
