"""The outputs and properties of resources that differ between a git ref and the working tree, one sentence each.

This engine records both sides. The base is checked out into a separate folder and recorded in a separate process, so
that neither side imports the other's modules.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path

from policies.guardrails.topology.graph.resources import Graph
from policies.parity.compare import Difference, compare
from policies.parity.shape import Shape, shape_of
from preflight.errors import PreflightError
from preflight.pulumi.recorded import recording
from preflight.recording.recorder import RecordedResource, Recording
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
_PROXY = "containerDefinitions[proxy].command[1]."
_STEP = re.compile(r"(?=[.\[])")
_MANY = 4
"""From this number of resources with the same change of one property, one sentence is about all of them."""


@dataclass(frozen=True, slots=True)
class ChangeSentence:
    """One sentence."""

    section: str
    text: str


@contextmanager
def recording_base(root: Path, base: str, stacks: Sequence[str]) -> Generator[Callable[[], dict[str, Recording]]]:
    """Records every stack of the project as of the git ref ``base`` while the block runs, except stacks that do not exist there. The
    value waits for the recordings, by stack.

    :raises PreflightError: git cannot read ``base``; from the value, the program cannot be run there
    """
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        _take_out(root, base, Path(folder))
        there = [stack for stack in stacks if (Path(folder) / f"Pulumi.{stack}.yaml").is_file()]
        if not there:  # perhaps no project either
            yield dict[str, Recording]
            return
        with recording(Path(folder), there) as recordings:
            yield recordings


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


def changes(
    stack: str, before: Recording, after: Recording, graphs: tuple[Graph, Graph] | None = None
) -> tuple[ChangeSentence, ...]:
    """One sentence for each output and property that differs from ``before`` to ``after``, by section.

    :param graphs: the graphs of both, from a caller that has them
    """
    old, new = graphs or (Graph.from_recorded(before.resources), Graph.from_recorded(after.resources))
    equal = _equal(before, after)
    differences = compare(_shape(before, old, equal), _shape(after, new, equal), releases=True)
    # A value that neither run knows, such as the result of a look-up, is not a change.
    differences = [one for one in differences if not (one.unknown and one.earlier == one.later)]
    found = [*_output_changes(before, after), *_sentences(differences)]
    order = [*SECTIONS, "resources"]
    found.sort(key=lambda change: (order.index(change.section), change.text))
    return tuple(dict.fromkeys(found))


def lines_of(sentences: Sequence[ChangeSentence]) -> list[str]:
    """The sentences by section, each section with its name."""
    lines: list[str] = []
    for section in (*SECTIONS, "resources"):
        if own := [sentence.text for sentence in sentences if sentence.section == section]:
            lines += ["", f"  {section}", *(f"    {text}" for text in own)]
    return lines


def _equal(before: Recording, after: Recording) -> frozenset[str]:
    """The resources without any change. In a pull request those are most, and reading a shape takes longer than comparing."""
    old = {resource.urn: resource for resource in before.resources}
    return frozenset(
        new.urn for new in after.resources if (was := old.get(new.urn)) and _compared(was) == _compared(new)
    )


def _compared(resource: RecordedResource) -> tuple[object, ...]:
    return resource.type, resource.inputs, resource.outputs, resource.protect, resource.property_dependencies


def _shape(recording: Recording, graph: Graph, leave_out: frozenset[str]) -> Shape:
    declared = {resource.urn: resource.inputs for resource in recording.resources}
    return shape_of(recording.stack, graph, declared, keep_names=True, leave_out=leave_out)


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


def _line(text: str) -> str:
    return " ".join(text.split())
