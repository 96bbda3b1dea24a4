"""Objectives for users, from which the burn-rate alarms are derived."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, StrictBool

from settings.values import Section, Whole

Percent = Annotated[
    float,
    Strict(),
    Field(
        ge=94,
        le=99.99,
        allow_inf_nan=False,
        description="a percentage from 94 to 99.99: below, the fastest burn rate (14.4) cannot be reached; above, a month has "
        "less than five minutes of budget",
    ),
]


class SyntheticChat(Section):
    """A scheduled task that asks every group of models one short question, on the path of users' chats. It counts in no
    objective. Its price is in ``preflight cost``; the interface's image must have ``python3``."""

    enabled: StrictBool = True
    """False: there is none. A model that dies while no one uses it is then noticed by the first user."""
    every_minutes: Whole = Field(
        default=5,
        ge=5,
        le=60,
        description="minutes from 5 to 60: a run takes one or two minutes, and after an hour the first user is the faster alarm",
    )
    """Minutes between two runs."""
    failed_runs: Whole = Field(
        default=3,
        ge=2,
        le=6,
        description="from 2 to 6: a single failure is no outage, and more than six runs is hours without an alarm",
    )
    """Runs in a row without an answer, after which a page is sent. As many without a report are a ticket."""


class Objectives(Section):
    """Objectives over 30 days. An alarm fires when the failures that an objective allows are used up too fast: 14.4 times over an
    hour or 6 times over six hours is a page, 1 time over three days a ticket."""

    availability_percent: Percent = 99.5
    """The share of requests at the load balancer that are not answered with 5xx."""
    chat_success_percent: Percent = 99.0
    """The share of chat completions that a model answers completely. The application itself returns 200 or 400 when its model
    fails, so they are counted in the proxy's log."""
    first_token_seconds: Whole = Field(default=10, ge=1, le=120)
    """The time within which a model's answer should begin."""
    first_token_percent: Percent = 95.0
    """The share of answered chat completions that begin in time."""
    minimum_failures: Whole = Field(default=5, ge=2, le=1000)
    """Fewer failures in the window of an alarm never fire it, so that one failed request at night does not page anyone. An
    outage with fewer requests is noticed by the alarms on the share of failures in 15 minutes."""
    canary_from_outside: StrictBool = False
    """True: a monitor outside AWS requests ``https://<host>/firewall-canary`` at least once in five minutes, and its silence is a
    page. It is the only signal that users can reach the load balancer at all."""
    synthetic_chat: SyntheticChat = SyntheticChat()
    """The scheduled chat inside the network."""
