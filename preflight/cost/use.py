"""The use of a month, from the declared use of a stack (``use`` in its file) and the assumptions below.

The assumptions are not measured on AWS. Each is a constant with its unit, and ``docs/cost.md`` lists them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from settings.stack import PREFIX
from settings.use import Use

HOURS = 730
"""Hours of a month: AWS's own figure, 365 days * 24 / 12."""
WORKING_DAYS = 21
BUSY_HOURS = WORKING_DAYS * 8
"""Hours of a month in which people work."""
BUSY_SHARE = 0.25
"""How far the expected month goes from the minimum to the maximum number of tasks and capacity units in busy hours."""
PEOPLE_PER_VCPU = 50
"""People for each vCPU of the minimum tasks, where ``use.people`` is not set."""
VISITS = 2
"""Visits of one person on a working day that load the whole page."""
REQUESTS_PER_VISIT = 80
REQUESTS_PER_MESSAGE = 4
MEBIBYTES_PER_VISIT = 2.0
"""Files of the page and lists of chats that the load balancer sends for one visit."""
KIBIBYTES_PER_MESSAGE = 20.0
"""Data that the load balancer sends for one message: the answer as it is streamed, and the saved chat."""
LOG_BYTES_PER_REQUEST = 2_000
"""Lines of the proxy and the application in CloudWatch Logs for one request."""
DATABASE_MEBIBYTES_PER_PERSON = 20.0
DATABASE_IO_PER_REQUEST = 1.0
CHARACTERS_PER_TOKEN = 4
"""The average of English text; a guardrail is charged by characters, a model by tokens."""
CHARACTERS_PER_TEXT_UNIT = 1_000
"""Bedrock's definition of a text unit."""
CONCURRENT_SHARE = 0.2
"""The share of the people who have the page open at the same time in busy hours: one WebSocket each."""

RUN_SECONDS = 120
"""Seconds of one synthetic chat's task, most of them for pulling the application's image, which Fargate does for each task."""
INPUT_OF_A_CHAT = 100
"""Tokens of a synthetic chat's question, with what a model's template adds."""
UNITS_OF_A_CHAT = 2
"""Text units of a guardrail: one for the question, one for the answer, the least that is charged."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month's use."""

    people: float
    messages: float
    requests: float
    input_tokens: float
    output_tokens: float
    sent_gib: float
    """From the load balancer to the internet."""
    log_gib: float
    uploads_gib: float
    """Stored, not uploaded in this month."""
    database_gib: float

    @property
    def text_units(self) -> float:
        """Units of a guardrail that evaluates every prompt and every answer."""
        return (self.input_tokens + self.output_tokens) * CHARACTERS_PER_TOKEN / CHARACTERS_PER_TEXT_UNIT

    @property
    def lcu_hours(self) -> float:
        """Capacity units of the load balancer: 1 GB per hour, or 3,000 connections that are open
        (https://aws.amazon.com/elasticloadbalancing/pricing/); new connections and rules stay below both."""
        return max(self.sent_gib, self.people * CONCURRENT_SHARE / 3_000 * BUSY_HOURS)


NOTHING = Month(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""A month without a request."""


def declared(config: Mapping[str, str]) -> Use:
    """The use that a stack file declares; ``config`` is the configuration as the program receives it. Running the
    program validates it, so this is called after a run."""
    return Use.model_validate(json.loads(config.get(f"{PREFIX}use", "{}")))


def people(use: Use, minimum_vcpu: float) -> int:
    """The declared people, or those that the size suggests."""
    return use.people if use.people is not None else max(1, round(PEOPLE_PER_VCPU * minimum_vcpu))


def month(use: Use, minimum_vcpu: float, times: float = 1.0) -> Month:
    """One month of ``times`` the people."""
    number = people(use, minimum_vcpu) * times
    messages = number * use.messages_per_person * WORKING_DAYS
    visits = number * VISITS * WORKING_DAYS
    requests = visits * REQUESTS_PER_VISIT + messages * REQUESTS_PER_MESSAGE
    return Month(
        people=number,
        messages=messages,
        requests=requests,
        input_tokens=messages * use.input_tokens_per_message,
        output_tokens=messages * use.output_tokens_per_message,
        sent_gib=(visits * MEBIBYTES_PER_VISIT + messages * KIBIBYTES_PER_MESSAGE / 1024) / 1024,
        log_gib=requests * LOG_BYTES_PER_REQUEST / 1024**3,
        uploads_gib=number * use.upload_mebibytes_per_person / 1024,
        database_gib=number * DATABASE_MEBIBYTES_PER_PERSON / 1024,
    )


def assumptions() -> list[str]:
    """The assumptions as a Markdown table: the declared use with its defaults, then the constants."""
    defaults = Use()
    rows = (
        ("people, if `use.people` is not set", f"{PEOPLE_PER_VCPU} for each vCPU of the minimum tasks"),
        ("messages of a person on a working day (`use.messagesPerPerson`)", defaults.messages_per_person),
        ("input tokens of a message (`use.inputTokensPerMessage`)", f"{defaults.input_tokens_per_message:,}"),
        ("output tokens of a message (`use.outputTokensPerMessage`)", f"{defaults.output_tokens_per_message:,}"),
        ("stored uploads of a person (`use.uploadMebibytesPerPerson`)", f"{defaults.upload_mebibytes_per_person} MiB"),
        ("hours of a month, working days, busy hours", f"{HOURS}, {WORKING_DAYS}, {BUSY_HOURS}"),
        ("tasks and capacity units in busy hours", f"{BUSY_SHARE:.0%} of the way from minimum to maximum"),
        ("visits of a person on a working day", VISITS),
        ("requests of a visit, of a message", f"{REQUESTS_PER_VISIT}, {REQUESTS_PER_MESSAGE}"),
        ("sent for a visit, for a message", f"{MEBIBYTES_PER_VISIT:g} MiB, {KIBIBYTES_PER_MESSAGE:g} KiB"),
        ("people who are connected at the same time in busy hours", f"{CONCURRENT_SHARE:.0%}"),
        ("log lines of a request", f"{LOG_BYTES_PER_REQUEST:,} bytes"),
        (
            "database of a person, I/O of a request",
            f"{DATABASE_MEBIBYTES_PER_PERSON:g} MiB, {DATABASE_IO_PER_REQUEST:g}",
        ),
        ("a run of the synthetic chat", f"{RUN_SECONDS} seconds"),
        (
            "input tokens of a synthetic chat, text units of a guardrail",
            f"{INPUT_OF_A_CHAT}, {UNITS_OF_A_CHAT}",
        ),
        ("characters of a token, of a guardrail's text unit", f"{CHARACTERS_PER_TOKEN}, {CHARACTERS_PER_TEXT_UNIT:,}"),
    )
    return ["| Assumption | Value |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
