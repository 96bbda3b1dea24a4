"""The questions of ``init``: each with the type that the settings require of the answer, and a default if one can be derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from preflight.setup import people
from preflight.setup.sizes import SIZES
from settings.configuration import AccountId
from settings.identity import Identity
from settings.providers import KINDS, IdentityProvider
from settings.sections import HostedZoneId
from settings.values import AwsRegion, Email, HostName, HttpsUrl, OnCallUrl, Person, Slug

Answers = Mapping[str, str]
_UNVERIFIED = "accept_unverified_email"
UNVERIFIED = "acceptUnverifiedEmail"
"""The key of the question that a provider has which does not verify addresses, and of its parameter."""
PARAMETER = "provider."
"""Begins the key of a question about the identity provider's parameters."""
OTHER = "other"
"""The identity provider of which only the endpoints are known."""
_OWN_ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint")
_REVIEWERS = Annotated[
    str,
    AfterValidator(TypeAdapter[str](Person).validate_python),
    Field(description="a GitHub user or team with @ and without quotes, for example @example/ai-platform"),
]
_REPOSITORY = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$"),
    Field(description="owner/name of the repository on GitHub, for example example/ai-interface"),
]


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    key: str
    """The answer's key in a file of answers."""
    text: str
    allowed: Any
    """The type that the answer must have."""
    default: Callable[[Answers], str] = lambda _: ""
    """The default, from the answers so far; empty if there is none."""

    @property
    def is_list(self) -> bool:
        """Whether the answer lists values, with commas between them."""
        return get_origin(get_args(self.allowed)[0] if get_args(self.allowed) else self.allowed) is tuple

    def value(self, answer: str) -> str | list[str]:
        """The answer as the settings take it."""
        return [value.strip() for value in answer.split(",") if value.strip()] if self.is_list else answer

    def problem(self, answer: str) -> str:
        """The allowed values if ``answer`` is not valid; otherwise empty."""
        try:
            TypeAdapter(self.allowed).validate_python(self.value(answer))
        except ValidationError as error:
            return _allowed(self.allowed) or error.errors()[0]["msg"]
        return ""


def _allowed(type_: Any) -> str:  # noqa: ANN401 - an annotated type
    found = [item.description for item in get_args(type_) if isinstance(item, FieldInfo) and item.description]
    return found[-1] if found else ""


def _choice(*names: str) -> Any:  # noqa: ANN401 - an annotated type
    def one_of(answer: str) -> str:
        if answer not in names:
            raise ValueError("not offered")
        return answer

    return Annotated[str, AfterValidator(one_of), Field(description=f"one of {', '.join(names)}")]


def questions(answers: Answers) -> Sequence[Question]:
    """Every question, given the answers so far: the chosen identity provider adds its parameters."""
    return [
        Question("team", "Team that is accountable for the environments", Slug),
        Question("contact", "E-mail address for alarms", Email),
        Question("onCall", "URL of the on-call page and runbook", OnCallUrl),
        Question("reviewers", "GitHub team or user who reviews changes", _REVIEWERS),
        Question("repository", "GitHub repository", _REPOSITORY, lambda known: known.get("repository", "")),
        Question("region", "AWS region", AwsRegion, lambda _: "eu-west-1"),
        Question("stagingAccount", "AWS account of staging", AccountId),
        Question("prodAccount", "AWS account of prod", AccountId),
        Question("host", "Host name of prod", HostName),
        Question("stagingHost", "Host name of staging", HostName, _staging_host),
        Question("hostedZone", "Route 53 hosted zone of prod's host name", HostedZoneId),
        Question("stagingHostedZone", "Route 53 hosted zone of staging's host name", HostedZoneId),
        *_identity(answers),
        *_people(answers),
        Question(
            "models", "Models of Amazon Bedrock", str, lambda _: "openai.gpt-oss-120b-1:0, openai.gpt-oss-20b-1:0"
        ),
        Question("size", _size_text(), _choice(*SIZES), lambda _: "standard"),
    ]


def _people(answers: Answers) -> list[Question]:
    provider = provider_of(answers.get("provider", ""))
    asked: list[Question] = []
    accepts = True
    if provider is not None and _UNVERIFIED in provider.model_fields:
        text = (
            f"{provider.title} does not verify e-mail addresses: anyone who can set a user's address there decides whom a rule by "
            "address matches. Admit or name administrators by address? (yes, no)"
        )
        asked.append(Question(UNVERIFIED, text, _choice("yes", "no"), lambda _: "no"))
        accepts = answers.get(UNVERIFIED) == "yes"
    for key, what in (("users", "Who may use it"), ("administrators", "Who administers it")):
        given = {"administrators": key == "administrators", "accepts_addresses": accepts}
        asked.append(Question(key, f"{what}: {people.allowed(provider, **given)}", people.people(provider, **given)))
    return asked


def _staging_host(answers: Answers) -> str:
    first, dot, rest = answers.get("host", "").partition(".")
    return f"{first}.staging.{rest}" if dot else ""


def _size_text() -> str:
    return "Size: " + "; ".join(f"{name} ({size.description})" for name, size in SIZES.items())


def kind_of(provider: type[IdentityProvider]) -> str:
    """The value of ``identity.provider.kind`` that selects it."""
    return str(get_args(provider.model_fields["kind"].annotation)[0])


def provider_of(name: str) -> type[IdentityProvider] | None:
    """The provider with this kind; ``None`` for one of which only the endpoints are known."""
    return next((one for one in KINDS if kind_of(one) == name), None)


def parameters(provider: type[IdentityProvider]) -> Mapping[str, FieldInfo]:
    """The provider's parameters that have no default, by field."""
    return {name: field for name, field in provider.model_fields.items() if name != "kind" and field.is_required()}


def _identity(answers: Answers) -> list[Question]:
    names = [*map(kind_of, KINDS), OTHER]
    titles = ", ".join(f"{kind_of(one)} ({one.title})" for one in KINDS)
    asked = [Question("provider", f"Identity provider: {titles}, {OTHER}", _choice(*names))]
    chosen = provider_of(answers.get("provider", ""))
    if chosen is not None:
        for name, field in parameters(chosen).items():
            asked.append(_provider_question(chosen, name, field))
    elif answers.get("provider") == OTHER:
        for name in _OWN_ENDPOINTS:
            text = Identity.model_fields[name].alias or name
            asked.append(Question(to_camel(name), f"{text} in its /.well-known/openid-configuration", HttpsUrl))
    client = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,256}$"), Field(description="the client's id")]
    asked.append(Question("clientId", "Client id of prod at the identity provider", client))
    asked.append(Question("stagingClientId", "Client id of staging at the identity provider", client))
    return asked


def _provider_question(provider: type[IdentityProvider], name: str, field: FieldInfo) -> Question:
    text = field.description or to_camel(name)
    key = f"{PARAMETER}{to_camel(name)}"
    type_: Any = Annotated[field.annotation, *field.metadata, Field(description=text)]
    return Question(key, f"{provider.title}: {text}", type_)


Kind = Literal["staging", "prod"]
ENVIRONMENTS: tuple[Kind, ...] = ("staging", "prod")
