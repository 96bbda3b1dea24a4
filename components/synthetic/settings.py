"""Names, sizes and the schedule of the synthetic chat."""

from pydantic import Field

from components.args import Args

NAME = "synthetic-chat"
"""The container, the task definition's and the schedule's last part, and the alarm."""
PROXY = "synthetic-proxy"
CONTAINERS = (PROXY, NAME)
"""The containers of the task; each has its own log group, so that no alarm on users' calls counts its calls."""
METRICS_NAMESPACE = "ai-interface/synthetic-chat"
RUNS, FAILURES, FIRST_TOKEN = "Runs", "Failures", "FirstToken"
"""Metrics of the log line: one for each run, one for each run in which a group gave no answer, and milliseconds."""
CPU_UNITS, MEMORY_MEBIBYTES = 256, 512
"""Fargate's smallest task (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html)."""
PROXY_MEBIBYTES = 192
PROMPT = "Reply with the single word: ready."
ANSWER_TOKENS = 64
"""The longest answer of one chat. A model that thinks first may use all of them for that, which is an answer too."""
ANSWER_SECONDS = 60
"""A chat without a complete answer by then has failed."""
MINUTES = (5, 60)
"""Minimum and maximum of the minutes between two runs. A run takes one or two minutes, most of them for pulling the images."""
FAILED_RUNS = (2, 6)


class SyntheticGroupArgs(Args):
    """A model group that is asked."""

    name: str
    """The group's name, which is its base path in the proxy."""
    model: str
    """The model that is asked."""


class SyntheticScheduleArgs(Args):
    """Whether and how often a synthetic chat runs, and when its failures page."""

    enabled: bool = True
    """False: there is none. A model that dies while no one uses it is then noticed by the first user."""
    every_minutes: int = Field(default=5, ge=MINUTES[0], le=MINUTES[1])
    """Minutes between two runs."""
    failed_runs: int = Field(default=3, ge=FAILED_RUNS[0], le=FAILED_RUNS[1])
    """Runs in a row without an answer, after which the alarm fires."""
