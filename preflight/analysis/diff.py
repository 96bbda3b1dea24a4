"""The effect of a change on every environment: exposure, limits and identity in sentences, then resources.

This engine records both sides. The base is checked out into a separate folder and recorded in a separate process, so
that neither side imports the other's modules.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import cast

from policies.guardrails.topology.graph.resources import Graph, kind_of
from policies.parity.compare import Difference, compare
from policies.parity.shape import Shape, shape_of
from preflight.analysis.changed_secrets import changed_secrets
from preflight.analysis.connectivity import connectivity_of
from preflight.analysis.edge_proxy import configuration, facts
from preflight.analysis.external import providers
from preflight.errors import PreflightError, ProgramError
from preflight.findings import Connectivity
from preflight.recording.graph import to_recording
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Wire, mask

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "exposure": (
        *("vpc.SecurityGroup*Rule", "ec2.SecurityGroup*", "ec2.Route", "ec2.NetworkAcl*", "ec2.InternetGateway"),
        *(
            "lb.*",
            "wafv2.*",
            "ec2.VpcEndpoint",
            "ec2.Subnet",
            "route53.*",
            "s3.BucketPublicAccessBlock",
            "ec2.Eip",
            "ec2.NatGateway",
        ),
    ),
    "identity": ("iam.*", "kms.*", "secretsmanager.*", "s3.BucketPolicy", "sns.TopicPolicy"),
    "limits": ("appautoscaling.*", "ecs.Service", "cloudwatch.LogGroup", "s3.BucketLifecycleConfiguration"),
    "release": (),
}
"""Section → short names of types; other types are listed under resources. Values that change with the release have a
section too."""
RUNNING = "effect on the running stack"
_PROXY = "containerDefinitions[proxy].command[1]."
_STEP = re.compile(r"(?=[.\[])")
_MANY = 4
"""From this number of resources with the same change of one property, one sentence is about all of them."""


@dataclass(frozen=True, slots=True)
class ChangeSentence:
    """One sentence."""

    section: str
    text: str


@dataclass(frozen=True, slots=True)
class StackChanges:
    """The changes in one environment."""

    environment: str
    changes: tuple[ChangeSentence, ...]
    running: tuple[str, ...] = ()
    """The effect on the running stack; refusals come first."""


def base_recordings(root: Path, base: str, stacks: Sequence[str]) -> dict[str, Recording]:
    """Every stack of the project as of the git ref ``base``, except stacks that do not exist there."""
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        _take_out(root, base, Path(folder))
        there = [stack for stack in stacks if (Path(folder) / f"Pulumi.{stack}.yaml").is_file()]
        return {stack: _recorded(Path(folder), stack) for stack in there}


def _take_out(root: Path, base: str, folder: Path) -> None:
    if base.startswith("-"):
        raise PreflightError(f"{base!r} is not a git ref")
    done = subprocess.run(  # noqa: S603 - git on this project
        ["git", "archive", "--format=tar", base, "."],  # noqa: S607 - git as the caller has it
        cwd=root, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PreflightError(f"git cannot read {base!r}: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _recorded(folder: Path, stack: str) -> Recording:
    done = subprocess.run(  # noqa: S603 - this engine
        [sys.executable, "-m", "preflight", "-C", str(folder), "graph", stack],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ProgramError(f"the base could not be run\n{done.stderr.strip()}")
    return to_recording(json.loads(done.stdout))


def changes(stack: str, before: Recording, after: Recording) -> StackChanges:
    """The sentences about the change from ``before`` to ``after``."""
    found = [
        *_connectivity_changes(stack, before, after),
        *_external_changes(before, after),
        *_proxy_changes(before, after),
        *_output_changes(before, after),
        *_secret_changes(before, after),
        *_sentences(compare(_shape(before), _shape(after), releases=True)),
    ]
    order = [*SECTIONS, "resources"]
    found.sort(key=lambda change: (order.index(change.section), change.text))
    return StackChanges(stack, tuple(dict.fromkeys(found)))


def _shape(recording: Recording) -> Shape:
    declared = {resource.urn: resource.inputs for resource in recording.resources}
    return shape_of(recording.stack, Graph.from_recorded(recording.resources), declared, keep_names=True)


def _connectivity_changes(stack: str, before: Recording, after: Recording) -> list[ChangeSentence]:
    sides = [connectivity_of({(stack, False): recording}, [stack]) for recording in (before, after)]
    old, new = (side[0] if side else Connectivity(stack, (), (), proven=True) for side in sides)
    found = [
        ChangeSentence("exposure", f"ingress path added: {path}") for path in new.ingress if path not in old.ingress
    ]
    found += [
        ChangeSentence("exposure", f"ingress path removed: {path}") for path in old.ingress if path not in new.ingress
    ]
    found += [ChangeSentence("exposure", f"egress added: {out}") for out in new.egress if out not in old.egress]
    found += [ChangeSentence("exposure", f"egress removed: {out}") for out in old.egress if out not in new.egress]
    if old.proven != new.proven:
        proven, open_ = (
            "it is now proven that no other ingress path exists",
            "it is no longer proven that no other ingress path exists",
        )
        found.append(ChangeSentence("exposure", proven if new.proven else open_))
    return found


def _external_changes(before: Recording, after: Recording) -> list[ChangeSentence]:
    """Where prompts may leave AWS, and from which group."""
    old, new = (
        {(group, host) for host, groups in providers(recording).items() for group in groups}
        for recording in (before, after)
    )
    found = [f"prompts of the model group {group} may leave AWS to {host}" for group, host in new - old]
    found += [f"prompts of the model group {group} no longer leave AWS to {host}" for group, host in old - new]
    return [ChangeSentence("exposure", text) for text in sorted(found)]


def _proxy_changes(before: Recording, after: Recording) -> list[ChangeSentence]:
    try:
        old, new = facts(configuration(before)), facts(configuration(after))
    except PreflightError:
        return []
    found: list[ChangeSentence] = []
    if old.allowed_everyone != new.allowed_everyone:
        may = "may" if new.allowed_everyone else "may no longer"
        text = f"everyone who can log in at the identity provider {may} use the application, without another rule"
        found.append(ChangeSentence("identity", text))
    for field in fields(old):
        one, two = getattr(old, field.name), getattr(new, field.name)
        if one != two and field.name != "allowed_everyone":
            section = "identity" if field.name.startswith(("allowed", "required")) else "limits"
            name = field.name.replace("_", " ")
            found.append(ChangeSentence(section, f"the proxy's {name}: {_text(one)} → {_text(two)}"))
    return found


def _text(value: object) -> str:
    return ", ".join(cast("tuple[str, ...]", value)) or "none" if isinstance(value, tuple) else str(value)


def _sentences(differences: Sequence[Difference]) -> list[ChangeSentence]:
    """One sentence each, except that the same change to many resources, such as a tag, is one."""
    alike: dict[tuple[str, str, str], list[Difference]] = {}
    for difference in differences:
        alike.setdefault((difference.property, difference.earlier, difference.later), []).append(difference)
    found: list[ChangeSentence] = []
    for (property_, earlier, later), group in alike.items():
        each = [_sentence(difference) for difference in group]
        if not property_ or len(group) < _MANY:
            found += each
            continue
        sections = {sentence.section for sentence in each}
        text = f"{property_} of {len(group)} resources: {_line(earlier)} → {_line(later)}"
        found.append(ChangeSentence(sections.pop() if len(sections) == 1 else "resources", text))
    return found


def _sentence(difference: Difference) -> ChangeSentence:
    kind, name = difference.path.split("/")[-2:]
    section = next((s for s, kinds in SECTIONS.items() if any(fnmatchcase(kind, k) for k in kinds)), "resources")
    if not difference.property:
        verb = "is added" if difference.earlier == "absent" else "is removed"
        return ChangeSentence(section, f"{kind} {name} {verb}")
    if difference.property.startswith(_PROXY):
        steps = _STEP.split(difference.property.removeprefix(_PROXY))
        place = "the proxy's configuration at …" + "".join(steps[-4:])
    else:
        place = f"{kind} {name}.{difference.property}"
    if difference.property in ("cpu", "memory"):
        section = "limits"
    if difference.comparison.follows_release:
        section = "release"
    return ChangeSentence(section, f"{place}: {_line(difference.earlier)} → {_line(difference.later)}")


def _output_changes(before: Recording, after: Recording) -> list[ChangeSentence]:
    """Stack outputs, which are not part of a shape."""
    old: Wire = mask(before.outputs)
    new: Wire = mask(after.outputs)
    names: list[str] = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [
        ChangeSentence(
            "release" if name == "release" else "resources",
            f"output {name}: {old.get(name, 'absent')} → {new.get(name, 'absent')}",
        )
        for name in names
    ]


def _secret_changes(before: Recording, after: Recording) -> list[ChangeSentence]:
    """The shape shows of a secret only that it is one."""
    by_property: dict[str, list[str]] = {}
    for type_, name, path in changed_secrets(before, after):
        by_property.setdefault(path, []).append(f"{kind_of(type_)} {name}")
    return [
        ChangeSentence("identity", f"{path} of {', '.join(names)}: another secret value")
        for path, names in by_property.items()
    ]


def _line(text: str) -> str:
    return " ".join(text.split())


def as_text(base: str, found: Sequence[StackChanges]) -> str:
    """Sentences by environment and section."""
    lines: list[str] = []
    for one in found:
        lines += [f"{one.environment}: {_count(len(one.changes))} since {base}"]
        lines += ["", f"  {RUNNING}", *(f"    {text}" for text in one.running)] if one.running else []
        lines += [*lines_of(one), ""]
    return "\n".join(lines)


def lines_of(one: StackChanges) -> list[str]:
    """One environment's sentences by section."""
    lines: list[str] = []
    for section in (*SECTIONS, "resources"):
        own = [change.text for change in one.changes if change.section == section]
        if own:
            lines += ["", f"  {section}", *(f"    {text}" for text in own)]
    return lines


def as_markdown(base: str, found: Sequence[StackChanges]) -> str:
    """The sentences as a part of a pull request's comment."""
    lines: list[str] = []
    for one in found:
        lines += [f"#### {one.environment}: {_count(len(one.changes))} since `{base}`", ""]
        if one.running:
            lines += [f"**{RUNNING}**", "", *(f"- `{text.replace('`', chr(39))}`" for text in one.running), ""]
        for section in (*SECTIONS, "resources"):
            own = [change.text for change in one.changes if change.section == section]
            if own:
                lines += [f"**{section}**", "", *(f"- `{text.replace('`', chr(39))}`" for text in own), ""]
    return "\n".join(lines) + "\n"


def as_json(base: str, found: Sequence[StackChanges]) -> str:
    """The sentences as JSON."""
    content = {"base": base, "environments": [asdict(one) for one in found]}
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _count(number: int) -> str:
    return "no change" if number == 0 else f"{number} change{'' if number == 1 else 's'}"
