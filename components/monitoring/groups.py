"""Which alarms raise one page together, and which pages explain others.

A page is held back only by one that is *worse* for users and that the same cause raises too. So dead tasks raise one page
(``requests-failing``) instead of seven, and something that gets worse while a lesser page is open always raises another one: a
lesser page never holds back a worse one. Alarms whose causes are independent (``disk``, ``memory``) are not grouped, because a
composite alarm that already fires sends no second message.
"""

import re
from dataclasses import dataclass

_NUMBERED = re.compile(r"-\d+$")


@dataclass(frozen=True)
class Page:
    """One composite alarm."""

    role: str
    sentence: str
    alarms: tuple[str, ...]
    """The roles of the alarms of which any raises the page. Those that a stack does not have are left out."""
    explained_by: tuple[str, ...] = ()
    """The pages during which this one sends no message."""


PAGES = (
    Page(
        "requests-failing",
        "Requests of users fail",
        (
            *("no-tasks", "no-healthy-targets", "edge-errors", "edge-outage", "target-errors", "target-outage"),
            "availability",
        ),
    ),
    Page("logins-failing", "Users cannot log in", ("login-errors",), ("requests-failing",)),
    Page(
        "chats-failing",
        "Chats get no answer from a model",
        (
            *("chat-success", "gateway-outage", "egress-outage", "model-outage", "model-outage-mantle"),
            *("models-errors", "models-failing", "models-unreachable", "synthetic-chat"),
        ),
        ("requests-failing",),
    ),
    Page(
        "models-degraded",
        "Model calls fail or wait, and are answered by another server or attempt",
        (
            *("egress-failures", "egress-tasks-missing", "first-token", "gateway-failures", "gateway-tasks-missing"),
            *("model-server-errors", "model-throttled", "model-throttled-mantle", "models-throttled"),
        ),
        ("chats-failing",),
    ),
    Page(
        "tasks-degraded",
        "Some tasks do not serve requests",
        ("tasks-missing", "unhealthy-targets"),
        ("requests-failing",),
    ),
    Page(
        "database-overloaded",
        "The database is at its limits",
        ("database-capacity", "database-connections", "database-cpu", "database-memory"),
        ("requests-failing",),
    ),
    Page(
        "signals-missing",
        "A signal is missing, so that other alarms see nothing",
        ("canary-silent", "log-silent"),
        ("requests-failing", "tasks-degraded"),
    ),
)
"""Every group, a page after those that explain it."""


def role_of(alarm_name: str) -> str:
    """The role in the alarm's name, ``ai-interface <environment> <role>``, without the number of a further batch."""
    return _NUMBERED.sub("", alarm_name.rpartition(" ")[2])


def is_grouped(role: str) -> bool:
    """Whether a composite alarm sends the message of this alarm."""
    return any(role_of(role) in page.alarms for page in PAGES)
