"""Additional recipients of alarms, besides the address in ``owner.contact``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from settings.values import Email, SecretReference, Section, Slug


class AlertSeverity(StrEnum):
    """The messages that a recipient gets."""

    PAGE = "page"
    """Users are affected now, or data is at risk within hours."""
    TICKET = "ticket"
    """The response can wait for working hours."""
    BOTH = "both"


class EmailSubscription(Section):
    """An e-mail address: of people, of a ticket system, or of a Slack or Teams channel. AWS first sends a confirmation
    message; messages arrive only after it is confirmed."""

    kind: Literal["email"]
    """``email`` for this kind of recipient."""
    name: Slug
    """Identifies the recipient in this list."""
    severity: AlertSeverity
    """The messages that it gets."""
    address: Email
    """The address."""


class HttpsSubscription(Section):
    """The Amazon SNS or CloudWatch integration of a pager, such as PagerDuty or Opsgenie. It must confirm the subscription
    by itself; if it does not within five minutes, the deployment fails."""

    kind: Literal["https"]
    """``https`` for this kind of recipient."""
    name: Slug
    """Identifies the recipient in this list."""
    severity: AlertSeverity
    """The messages that it gets."""
    url_secret: SecretReference
    """The name or the ARN of the secret with the integration's URL, which contains its key. ``alertEndpoints`` of bootstrap's
    environment creates the secret, with the name ``ai-interface/<environment>/alert-<name>``."""


WorkspaceId = Annotated[
    str,
    StringConstraints(pattern=r"^T[0-9A-Z]{2,254}$"),
    Field(description="the id of a Slack workspace, such as T07EA123LEP"),
]
ChannelId = Annotated[
    str,
    StringConstraints(pattern=r"^[CG][0-9A-Z]{2,254}$"),
    Field(description="the id of a Slack channel, such as C07EZ1ABC23"),
]


class SlackSubscription(Section):
    """A Slack channel, by Amazon Q Developer in chat applications (formerly AWS Chatbot). The channel only reads: its members cannot run
    commands in the account. An administrator first authorizes the workspace in the console, once for the account."""

    kind: Literal["slack"]
    """``slack`` for this kind of recipient."""
    name: Slug
    """Identifies the recipient in this list."""
    severity: AlertSeverity
    """The messages that it gets."""
    workspace_id: WorkspaceId
    """The workspace's id, from the console after the workspace is authorized."""
    channel_id: ChannelId
    """The channel's id, the end of the link that Slack copies. In a private channel, first ``/invite @Amazon Q``."""


AlertSubscription = Annotated[EmailSubscription | HttpsSubscription | SlackSubscription, Field(discriminator="kind")]
