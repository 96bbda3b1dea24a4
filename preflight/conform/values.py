"""Every value in the graph is allowed by AWS's published data: CloudFormation's schemas and botocore's service models.

Neither is complete: AWS can still refuse a value that passes. A resource type without a translation is reported, never
skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from preflight.conform import cloudformation, service_models
from preflight.conform.translate import Made, Path, secret_texts, translate
from preflight.conform.translation import NOT_AWS, TABLE
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import MASK, Json, Wire

RULE = "conform-values"
LONGEST = 300
"""The maximum number of characters of a value or a constraint in a finding."""
TABLES = "preflight/conform/translation"


def findings(recording: Recording) -> list[Finding]:
    """The values of a recording that AWS would refuse, sorted by URN."""
    found: list[Finding] = []
    regions: dict[str, list[Made]] = {}
    for resource in recording.resources:
        if not resource.custom or resource.external or resource.type in NOT_AWS:
            continue
        if resource.type not in TABLE:
            found.append(_unknown(recording, resource))
            continue
        made = translate(resource, TABLE[resource.type], cloudformation.property_names)
        regions.setdefault(made.kind.home or region_of(recording, resource), []).append(made)
    for region, resources in sorted(regions.items()):
        found += _of_region(recording, region, resources)
    return sorted(found, key=lambda f: (f.urn, f.headline))


def region_of(recording: Recording, resource: RecordedResource) -> str:
    """The region of a resource, or of its provider if it sets none."""
    if isinstance(own := resource.inputs.get("region"), str):
        return own
    urn = resource.provider.rpartition("::")[0]
    provider = next((other for other in recording.resources if other.urn == urn), None)
    return "" if provider is None else str(provider.inputs.get("region", ""))


def _of_region(recording: Recording, region: str, resources: Sequence[Made]) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for refused in cloudformation.lint(resources, region):
        made, name = refused.made, refused.made.origin(refused.path) or _named(refused.made, refused.message)
        seen.add((made.resource.urn, name))
        kind = made.kind.cloudformation
        constraint = PublishedConstraint(
            f"{kind}{_dotted(refused.path, '.')} in {region}",
            f": {refused.message}",
            f"{refused.rule} of cfn-lint",
            f"https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/{_page(kind)}",
        )
        yield _finding(recording, made, name, _at(made.properties, refused.path), constraint)
    for made in resources:
        for call, broken in service_models.broken(made):
            name = made.origin(broken.path, of_a_call=True)
            if (made.resource.urn, name) in seen:
                continue
            constraint = PublishedConstraint(
                f"{call.operation}{_dotted(broken.path, '.')}",
                f" {broken.constraint}",
                f"botocore's model of {call.service}",
                f"https://docs.aws.amazon.com/boto3/latest/reference/services/{call.service}.html",
            )
            yield _finding(recording, made, name, _at(made.arguments, broken.path), constraint)


@dataclass(frozen=True, slots=True)
class PublishedConstraint:
    """AWS's published constraint of one value."""

    subject: str
    """The name of the property in its source."""
    demand: str
    """The requirement, phrased as a continuation of the subject; may contain the value."""
    authority: str
    page: str


def _finding(recording: Recording, made: Made, name: str, value: Json, constraint: PublishedConstraint) -> Finding:
    resource = made.resource
    inputs = resource.inputs.get(name) if name in resource.inputs else resource.inputs
    secrets = secret_texts(inputs)
    hidden = any(text in leaf or leaf in text for leaf in _leaves(value) for text in secrets)
    wanted = f"{constraint.subject}{constraint.demand}"
    if hidden or any(text in wanted or repr(text)[1:-1] in wanted for text in secrets):
        wanted, value = f"{constraint.subject}: a value that it accepts", MASK
    place = f"{short_type(resource.type)} {resource.name}" + (f".{name}" if name else "")
    return Finding(
        environment=recording.stack,
        rule=RULE,
        verdict=Verdict.VIOLATED,
        headline=f"{place} is refused by AWS ({constraint.authority})",
        urn=resource.urn,
        found=_shortened(str(value)),
        wanted=_shortened(wanted),
        fix=f"change the value; if AWS accepts it, correct the translation in {TABLES} ({constraint.authority}, {constraint.page})",
        pack="conform",
        severity="high",
        description="only values that AWS's published schemas and service models allow",
        source_file=resource.source_file,
        source_line=resource.source_line,
    )


def _unknown(recording: Recording, resource: RecordedResource) -> Finding:
    return Finding(
        environment=recording.stack,
        rule=RULE,
        verdict=Verdict.NOT_PROVEN,
        headline=f"{short_type(resource.type)} {resource.name} is of a type that has no translation",
        urn=resource.urn,
        found=resource.type,
        wanted=f"a type in the tables of {TABLES}",
        fix=f"add it to a table in {TABLES}, or to NOT_AWS there with the reason",
        pack="conform",
        severity="high",
        source_file=resource.source_file,
        source_line=resource.source_line,
    )


def short_type(token: str) -> str:
    """``aws:ecs/service:Service`` → ``ecs.Service``."""
    package, module, name = token.split(":")
    return f"{module.partition('/')[0] if package == 'aws' else package}.{name}"


def _named(made: Made, message: str) -> str:
    """The property that a message about a whole resource names, if it is only one; else an empty string."""
    quoted = [name for name in made.properties if f"'{name}'" in message]
    return made.origin((quoted[0],)) if len(quoted) == 1 else ""


def _page(kind: str) -> str:
    _, service, name = kind.lower().split("::")
    return f"aws-resource-{service}-{name}.html"


def _dotted(path: Path, start: str) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return start + text[1:] if text else ""


def _at(value: Json, path: Path) -> Json:
    """The value at a path, or the last existing value along it."""
    for part in path:
        inner: Json = None
        if isinstance(value, dict):
            inner = cast("Wire", value).get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(cast("list[Json]", value)):
            inner = cast("list[Json]", value)[part]
        if inner is None:
            break
        value = inner
    return cast("Json", value)


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for item in cast("Wire", value).values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from _leaves(item)
    elif value not in (None, ""):
        yield str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
