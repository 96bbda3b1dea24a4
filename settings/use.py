"""The use of an environment by people. Only ``preflight cost`` reads it; nothing that is deployed depends on it."""

from __future__ import annotations

from pydantic import Field

from settings.values import Section, Whole


class Use(Section):
    """The use of this environment by people, for the estimate of ``preflight cost`` (``docs/cost.md``). Nothing that is
    deployed depends on it, so it may differ between environments without a declaration."""

    people: Whole | None = Field(default=None, ge=1, le=1_000_000)
    """The number of people who use it on a working day. If it is not set, 50 for each vCPU of the minimum number of
    tasks."""
    messages_per_person: Whole = Field(default=20, ge=0, le=10_000)
    """Messages that one person sends on a working day; each is one call of a model."""
    input_tokens_per_message: Whole = Field(default=2_000, ge=0, le=1_000_000)
    """Tokens that one message sends to the model: prompt, earlier messages of the chat and excerpts of documents."""
    output_tokens_per_message: Whole = Field(default=500, ge=0, le=1_000_000)
    """Tokens of one answer."""
    upload_mebibytes_per_person: Whole = Field(default=50, ge=0, le=1_000_000)
    """Uploaded files that are stored for one person, in MiB."""
