"""One turn of a conversation in Bedrock's own APIs, Converse and Anthropic's Messages by InvokeModel, and what it answers.

The answer repeats the question, as Chat Completions does here. It also contains what else arrived, so that a test can see
that a translation lost nothing: an image by format and digest, the result of a tool word by word. A question that names
an offered tool is answered with a call of that tool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.aws.chat import Question

DIGEST_DIGITS = 12


@dataclass(frozen=True)
class Tool:
    """A tool that the caller offers."""

    name: str
    schema: Mapping[str, Any]
    """The JSON schema of its input."""

    def input(self, text: str) -> dict[str, object]:
        """The question, for each property that the tool requires."""
        required: list[str] = list(self.schema.get("required") or [])
        return dict.fromkeys(required, text)


@dataclass(frozen=True)
class Turn:
    """A request of either API."""

    question: Question
    tools: Sequence[Tool] = ()
    images: Sequence[tuple[str, bytes]] = ()
    """Format and content."""
    tool_results: Sequence[str] = ()
    """The tools' results in the last message."""
    guardrail: tuple[str, str] | None = None
    """Identifier and version that the request names."""
    embeds: bool = False
    """Whether the request is for embeddings of the messages."""

    @property
    def called(self) -> Tool | None:
        """The tool that the answer calls."""
        if self.tool_results:
            return None
        asked = [text for role, text in self.question.messages if role == "user"]
        return next((tool for tool in self.tools if asked and tool.name in asked[-1].split()), None)

    @property
    def text(self) -> str:
        """The last question."""
        return " ".join(self.question.words()[2:])

    def words(self) -> list[str]:
        """The answer; empty if it is a call of a tool."""
        if self.called:
            return []
        shown = [f"[{kind} {hashlib.sha256(data).hexdigest()[:DIGEST_DIGITS]}]" for kind, data in self.images]
        if self.tool_results:
            return ["The", "tool", "returned:", *" ".join(self.tool_results).split()]
        return [*self.question.words(), *shown]

    def told(self) -> tuple[list[str], bool]:
        """The answer, and whether the limit cut it."""
        words, limit = self.words(), self.question.limit
        return (words, False) if limit is None or len(words) <= limit else (words[:limit], True)
