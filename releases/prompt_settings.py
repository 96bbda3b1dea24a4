"""The prompt files: the application's templates, and two settings files, for the guardrail and for the model
parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints, model_validator

from settings.errors import check, collected
from settings.values import Section

GUARDRAIL, PARAMETERS = "guardrail", "parameters"
SUFFIXES = {GUARDRAIL: ".yaml", PARAMETERS: ".yaml"}
"""Suffixes of the settings files; a template is a text file, ``.md``."""


@dataclass(frozen=True, slots=True)
class Template:
    """One of the application's prompt templates: its variable, and the placeholders that its text must contain."""

    variable: str
    needs: tuple[str, ...] = ()
    """The text must contain a placeholder that begins with one of these. Empty: no placeholder is needed."""


_CONVERSATION = ("{{MESSAGES", "{{prompt")
TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "autocomplete": Template("AUTOCOMPLETE_GENERATION_PROMPT_TEMPLATE", _CONVERSATION),
        "code-interpreter": Template("CODE_INTERPRETER_PROMPT_TEMPLATE"),
        "context-compaction": Template("CONTEXT_COMPACTION_PROMPT_TEMPLATE"),
        "documents": Template("RAG_TEMPLATE", ("{{CONTEXT}}", "[context]")),
        "follow-up": Template("FOLLOW_UP_GENERATION_PROMPT_TEMPLATE", _CONVERSATION),
        "image": Template("IMAGE_PROMPT_GENERATION_PROMPT_TEMPLATE", _CONVERSATION),
        "query": Template("QUERY_GENERATION_PROMPT_TEMPLATE", _CONVERSATION),
        "tags": Template("TAGS_GENERATION_PROMPT_TEMPLATE", _CONVERSATION),
        "title": Template("TITLE_GENERATION_PROMPT_TEMPLATE", _CONVERSATION),
        "tools": Template("TOOLS_FUNCTION_CALLING_PROMPT_TEMPLATE", ("{{TOOLS}}",)),
        "voice": Template("VOICE_MODE_PROMPT_TEMPLATE"),
    }
)
"""The templates by file name. Open WebUI 0.11.4 and 0.12.4 read each template from the environment (``config.py``); a
template without a file keeps the application's default text."""


class Strength(StrEnum):
    """The strength of a content filter: a higher strength blocks content that Bedrock is less sure about. NONE is not
    offered, so a filter cannot be turned off."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


ENTITIES = (
    *("ADDRESS", "AGE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CA_HEALTH_NUMBER", "CA_SOCIAL_INSURANCE_NUMBER"),
    *("CREDIT_DEBIT_CARD_CVV", "CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_NUMBER", "DRIVER_ID", "EMAIL"),
    *("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "IP_ADDRESS", "LICENSE_PLATE", "MAC_ADDRESS", "NAME", "PASSWORD", "PHONE"),
    *("PIN", "SWIFT_CODE", "UK_NATIONAL_HEALTH_SERVICE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER"),
    *("UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "URL", "USERNAME", "US_BANK_ACCOUNT_NUMBER", "US_BANK_ROUTING_NUMBER"),
    *("US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER", "US_PASSPORT_NUMBER", "US_SOCIAL_SECURITY_NUMBER"),
    "VEHICLE_IDENTIFICATION_NUMBER",
)
"""Types of sensitive data that a guardrail can detect (Bedrock API reference, GuardrailPiiEntityConfig)."""

Message = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, strip_whitespace=True),
    Field(description="a message to users of 1 to 500 characters (Bedrock API reference, CreateGuardrail)"),
]


class Guardrail(Section):
    """``prompts/guardrail.yaml``: the content that Bedrock blocks, and the messages that users get instead."""

    content_strength: Strength
    """Hate, insults, misconduct, sexual content and violence."""
    prompt_attack_strength: Strength
    """Jailbreaks and prompt injection in prompts."""
    blocked_entities: tuple[str, ...]
    """Types of data that block a prompt or an answer."""
    masked_entities: tuple[str, ...]
    """Types of data that are masked in answers: the name of the type replaces the data."""
    blocked_prompt_message: Message
    """The message that a user gets instead of an answer to a blocked prompt."""
    blocked_answer_message: Message
    """The message that a user gets instead of a blocked answer."""

    @model_validator(mode="after")
    def _entities_are_known_and_named_once(self) -> Guardrail:
        with collected():
            for key, entities in (("blockedEntities", self.blocked_entities), ("maskedEntities", self.masked_entities)):
                for entity in entities:
                    check(
                        entity in ENTITIES,
                        key=key,
                        value=entity,
                        allowed=f"Bedrock's types of sensitive data: {', '.join(ENTITIES)}",
                        fix="choose one of these",
                    )
            both = (*self.blocked_entities, *self.masked_entities)
            check(
                len(set(both)) == len(both),
                key="maskedEntities",
                value=", ".join(sorted({entity for entity in both if both.count(entity) > 1})),
                allowed="each type once, either blocked or masked",
                fix="remove the duplicate",
            )
        return self


Number = StrictFloat | StrictInt


class Parameters(Section):
    """``prompts/parameters.yaml``: the default model parameters of every chat. Omitted: the model's defaults."""

    temperature: Annotated[Number, Field(ge=0, le=2, description="a number from 0 to 2")] | None = None
    """0: the same answer every time; higher: more variety."""
    top_p: Annotated[Number, Field(ge=0, le=1, description="a number from 0 to 1")] | None = None
    max_tokens: Annotated[StrictInt, Field(ge=1, le=131_072)] | None = None
    """The maximum length of an answer, including reasoning."""
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2, description="a number from -2 to 2")] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2, description="a number from -2 to 2")] | None = None
    seed: StrictInt | None = None
    stop: tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...] | None = Field(
        default=None, min_length=1, max_length=4
    )
    """Stop sequences: texts that end an answer."""
    reasoning_effort: (
        Annotated[str, StringConstraints(pattern="^(low|medium|high)$"), Field(description="one of low, medium, high")]
        | None
    ) = None
    stream_response: StrictBool | None = None
    """False: answers are not streamed."""

    def chosen(self) -> dict[str, Any]:
        """The parameters that are set, by the application's names, which are those of the Chat Completions API."""
        return self.model_dump(exclude_none=True, mode="json")
