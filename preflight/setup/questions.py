"""The questions of ``init``, each environment's in the same order: staging, then prod."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from preflight.setup import forms, people
from preflight.setup.question import ENVIRONMENTS, Answers, Kind, Question, choice, named
from preflight.setup.sizes import SIZES
from settings.configuration import AccountId
from settings.models import ModelId
from settings.providers import KINDS, IdentityProvider
from settings.sections import HostedZoneId
from settings.values import AwsRegion, Email, HostName, HttpsUrl, OnCallUrl, Person, PrivateBlock, RunbookUrl, Slug

_UNVERIFIED = "accept_unverified_email"
UNVERIFIED = "acceptUnverifiedEmail"
"""The key of the question that a provider has which does not verify addresses, and of its parameter."""
PARAMETER = "provider."
"""Begins the key of a question about the identity provider's parameters."""
OTHER = "other"
"""The identity provider of which only the endpoints are known."""
OWN_ENDPOINTS = {
    "issuer": "issuer",
    "authorizationEndpoint": "authorization_endpoint",
    "tokenEndpoint": "token_endpoint",
    "userInfoEndpoint": "userinfo_endpoint",
}
"""Key of an endpoint → its name in the provider's discovery document (OpenID Connect Discovery 1.0, section 3)."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """The question about one parameter of an identity provider."""

    text: str
    example: str
    normal: Callable[[str], str] = forms.as_written


_PARAMETERS: Mapping[tuple[str, str], _Parameter] = {
    ("entraId", "tenantId"): _Parameter("directory (tenant) id", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", forms.lower),
    ("okta", "domain"): _Parameter("host name at which users log in", "example.okta.com", forms.host),
    ("googleWorkspace", "domains"): _Parameter(
        "domains of the organisation, the primary one first", "example.com, example.org", forms.hosts
    ),
    ("keycloak", "baseUrl"): _Parameter("URL of the server, up to /realms", "https://sso.example.com"),
    ("keycloak", "realm"): _Parameter("name of the realm", "staff"),
    ("cognito", "userPoolId"): _Parameter("id of the user pool", "eu-west-1_aBcD12345"),
    ("cognito", "domain"): _Parameter(
        "host name of the user pool's domain", "example.auth.eu-west-1.amazoncognito.com", forms.host
    ),
}
"""Kind and parameter → the question about it. A required parameter without an entry cannot be asked."""
_REVIEWERS = Annotated[
    str,
    AfterValidator(TypeAdapter[str](Person).validate_python),
    Field(description="a GitHub user or team with @ and without quotes, for example @example/ai-platform"),
]
_REPOSITORY = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$"),
    Field(description="owner/name of the repository on GitHub, or its URL, for example example/ai-interface"),
]
_CLIENT = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e]{1,256}$"), Field(description="the client's id, without spaces")
]
DEFAULT_MODELS = ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-20b-1:0")


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that the checkout states."""

    repository: str = ""
    """The repository on GitHub that git names as its origin."""
    networks: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment → the address block in its stack file."""
    models: tuple[str, ...] = ()
    """The models that the releases of both stack files list and that Bedrock serves by Chat Completions. Empty: any model."""


def key_of(question: str, environment: Kind) -> str:
    """The key of a question that is asked for each environment."""
    return f"{environment}{question[0].upper()}{question[1:]}"


def questions(answers: Answers, known: Known | None = None) -> Sequence[Question]:
    """Every question, given the answers so far: the chosen identity provider adds its parameters."""
    known = known or Known()
    return [
        Question(
            "team", "Team that is accountable for the environments", Slug, example="ai-platform", sets=("owner.team",)
        ),
        Question("contact", "E-mail address for alarms", Email, sets=("owner.contact",)),
        Question("onCall", "URL of the on-call page", OnCallUrl, sets=("owner.onCall",)),
        Question("reviewers", "GitHub team or user who reviews changes", _REVIEWERS, sets=("owner",)),
        Question(
            "repository",
            "GitHub repository",
            _REPOSITORY,
            lambda _: known.repository,
            "the origin of the checkout, if it is on GitHub",
            normal=forms.repository,
        ),
        Question(
            "runbook",
            "URL of docs/runbook.md as the on-call engineer reads it",
            RunbookUrl,
            _runbook,
            sets=("owner.runbook",),
        ),
        Question(
            "region",
            "AWS region",
            AwsRegion,
            lambda _: "eu-west-1",
            normal=forms.lower,
            sets=("aws:region", "models.groups.0.upstreams.0.region", "network.availabilityZones"),
        ),
        *_each(
            "account",
            "AWS account of {}",
            AccountId,
            "111122223333",
            "444455556666",
            normal=forms.account,
            sets=("aws:allowedAccountIds",),
        ),
        *_hosts(),
        *_each(
            "hostedZone",
            "Route 53 hosted zone of {}'s host name",
            HostedZoneId,
            "Z0123456789STAGING01",
            "Z0123456789PROD00001",
            normal=forms.hosted_zone,
            sets=("domain.hostedZoneId",),
        ),
        *_networks(known),
        *_identity(answers),
        *_people(answers),
        _models(known),
        Question(
            "size",
            "Size: " + "; ".join(f"{name} ({size.description})" for name, size in SIZES.items()),
            choice(*SIZES),
            lambda _: "standard",
            normal=named({name: name for name in SIZES}),
            sets=("capacity", "data", "network.availabilityZones", "network.endpointZones", "use"),
        ),
    ]


def _each(name: str, text: str, allowed: Any, *examples: str, **more: Any) -> list[Question]:  # noqa: ANN401 - of Question
    return [
        Question(
            key_of(name, environment),
            text.format(environment),
            allowed,
            environment=environment,
            example=example,
            **more,
        )
        for environment, example in zip(ENVIRONMENTS, examples, strict=True)
    ]


def _hosts() -> list[Question]:
    def host(
        environment: Kind, default: Callable[[Answers], str], contradicts: Callable[[str, Answers], str]
    ) -> Question:
        return Question(
            key_of("host", environment),
            f"Host name of {environment}",
            HostName,
            default,
            "" if environment == "staging" else "staging's without the label `staging`",
            example="chat.staging.example.com" if environment == "staging" else "chat.example.com",
            normal=forms.host,
            contradicts=contradicts,
            sets=("domain.hostName",),
            environment=environment,
        )

    return [host("staging", lambda _: "", lambda _, __: ""), host("prod", _prod_host, _one_host)]


def _prod_host(answers: Answers) -> str:
    host = answers.get("stagingHost", "")
    labels = [label for label in host.split(".") if label != "staging"]
    shorter = ".".join(label.removesuffix("-staging") for label in labels)
    return shorter if shorter != host else ""


def _one_host(answer: str, answers: Answers) -> str:
    return "a host name other than staging's" if answer == answers.get("stagingHost") else ""


def _networks(known: Known) -> list[Question]:
    def default(environment: str) -> Callable[[Answers], str]:
        return lambda _: known.networks.get(environment, "")

    def contradicts(answer: str, answers: Answers) -> str:
        return _one_size(answer, answers.get("stagingNetwork", ""))

    return [
        Question(
            key_of("network", environment),
            f"Address block of {environment}'s VPC, which overlaps with no network that will be peered with it",
            PrivateBlock,
            default(environment),
            "the one in the stack file",
            example="10.20.0.0/16" if environment == "staging" else "10.30.0.0/16",
            contradicts=contradicts,
            sets=("network.cidrBlock",),
            environment=environment,
        )
        for environment in ENVIRONMENTS
    ]


def _one_size(prod: str, staging: str) -> str:
    """Subnets are shares of the block, so environments with blocks of two sizes have different subnets, which parity refuses."""
    prefix = staging.partition("/")[2]
    if not staging or prod.partition("/")[2] == prefix:
        return ""
    return f"a block of staging's size, /{prefix}: in blocks of two sizes the subnets differ, which parity reports"


def warnings(answers: Answers) -> list[str]:
    """Consequences of valid answers that may be unintended."""
    found: list[str] = []
    blocks = [ipaddress.IPv4Network(answers[key_of("network", environment)]) for environment in ENVIRONMENTS]
    if blocks[0].overlaps(blocks[1]):
        found.append(
            f"stagingNetwork {blocks[0]} and prodNetwork {blocks[1]} overlap: the two networks can never be peered with each "
            "other, nor with one third network; a running stack cannot change its block"
        )
    if answers["stagingAccount"] == answers["prodAccount"]:
        found.append(
            f"staging and prod share the account {answers['prodAccount']}: its quotas count for both, and one bootstrap stack "
            "sets up both (bootstrap/Pulumi.staging.yaml)"
        )
    return found


def _models(known: Known) -> Question:
    allowed = "ids with commas between them" + (f", of {', '.join(known.models)}" if known.models else "")
    form = f"{allowed}; a release has to list any other model first (docs/releases.md)" if known.models else allowed
    offered = [model for model in DEFAULT_MODELS if not known.models or model in known.models]

    def contradicts(answer: str, _: Answers) -> str:
        models = [model.strip() for model in answer.split(",")]
        return form if known.models and not set(models) <= set(known.models) else ""

    return Question(
        "models",
        f"Models of Amazon Bedrock: {allowed}",
        Annotated[tuple[ModelId, ...], Field(min_length=1, description=form)],
        lambda _: ", ".join(offered),
        contradicts=contradicts,
        sets=("models.groups",),
    )


def _identity(answers: Answers) -> list[Question]:
    titles = {**{kind_of(one): one.title for one in KINDS}, OTHER: OTHER}
    shown = ", ".join(name if name == title else f"{name} ({title})" for name, title in titles.items())
    text = f"Identity provider: {shown}"
    asked = [Question("provider", text, choice(*titles), normal=named(titles), sets=("identity.provider",))]
    chosen = provider_of(answers.get("provider", ""))
    if chosen is not None:
        asked += [_parameter(chosen, name, info) for name, info in parameters(chosen).items()]
    elif answers.get("provider") == OTHER:
        for key, published in OWN_ENDPOINTS.items():
            text = f"{published} in its /.well-known/openid-configuration"
            asked.append(Question(key, text, HttpsUrl, sets=(f"identity.{key}",)))
    text = "Client id of {} at the identity provider"
    examples = ("ai-interface-staging", "ai-interface-prod")
    return [*asked, *_each("clientId", text, _CLIENT, *examples, sets=("identity.clientId",))]


def _parameter(provider: type[IdentityProvider], name: str, info: FieldInfo) -> Question:
    parameter = to_camel(name)
    asked = _PARAMETERS[kind_of(provider), parameter]
    form = info.description or f"{asked.text}, for example {asked.example}"
    type_: Any = Annotated[info.annotation, *info.metadata, Field(description=form)]
    text = f"{provider.title}: {asked.text}, for example {asked.example}"
    return Question(
        f"{PARAMETER}{parameter}", text, type_, normal=asked.normal, example=asked.example, sets=("identity.provider",)
    )


def _people(answers: Answers) -> list[Question]:
    provider = provider_of(answers.get("provider", ""))
    asked: list[Question] = []
    accepts = True
    if provider is not None and _UNVERIFIED in provider.model_fields:
        text = (
            f"{provider.title} does not verify e-mail addresses: anyone who can set a user's address there decides whom a rule by "
            "address matches. Admit or name administrators by address? (yes, no)"
        )
        asked.append(
            Question(
                UNVERIFIED,
                text,
                choice("yes", "no"),
                lambda _: "no",
                normal=forms.yes_or_no,
                sets=("identity.provider",),
            )
        )
        accepts = answers.get(UNVERIFIED) == "yes"
    for name, what in (("users", "Who may use {}"), ("administrators", "Who administers {}")):
        for environment in ENVIRONMENTS:
            asked.append(_selection(provider, name, what.format(environment), environment, accepts=accepts))
    return asked


def _runbook(answers: Answers) -> str:
    repository = answers.get("repository", "")
    return f"https://github.com/{repository}/blob/main/docs/runbook.md" if repository else ""


def _selection(
    provider: type[IdentityProvider] | None, name: str, what: str, environment: Kind, *, accepts: bool
) -> Question:
    given = {"administrators": name == "administrators", "accepts_addresses": accepts}
    staging = key_of(name, "staging")
    own = people.own_to_a_client(provider)

    def default(answers: Answers) -> str:
        earlier = answers.get(staging, "")
        return "" if environment == "staging" or people.claim_of(earlier) in own else earlier

    def contradicts(answer: str, answers: Answers) -> str:
        claim = people.claim_of(answer)
        one_client = answers.get("stagingClientId") == answers.get("prodClientId")
        if environment == "staging" or claim not in own or one_client or provider is None:
            return ""
        if not people.share_a_value(answer, answers.get(staging, "")):
            return ""
        return (
            f"values of prod's client: {provider.title} gives a person another {claim} for each client, so those of staging match "
            f"no one in prod (docs/identity/{provider.page})"
        )

    return Question(
        key_of(name, environment),
        f"{what}: {people.allowed(provider, **given)}",
        people.people(provider, **given),
        default,
        ""
        if environment == "staging"
        else "staging's" + (f", unless it is by {', '.join(sorted(own))}" if own else ""),
        example="groups=chat-users" if name == "users" else "groups=chat-administrators",
        contradicts=contradicts,
        sets=("identity.allowed" if name == "users" else "identity.administrators",),
        environment=environment,
    )


def kind_of(provider: type[IdentityProvider]) -> str:
    """The value of ``identity.provider.kind`` that selects it."""
    return str(get_args(provider.model_fields["kind"].annotation)[0])


def provider_of(name: str) -> type[IdentityProvider] | None:
    """The provider with this kind; ``None`` for one of which only the endpoints are known."""
    return next((one for one in KINDS if kind_of(one) == name), None)


def parameters(provider: type[IdentityProvider]) -> Mapping[str, FieldInfo]:
    """The provider's parameters that have no default, by field."""
    return {name: info for name, info in provider.model_fields.items() if name != "kind" and info.is_required()}
