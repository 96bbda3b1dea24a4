"""The reduced form of the AWS SDK has the same classes, types and wire names as the SDK, and the program records the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from preflight.sdk import imports

ROOT = Path(__file__).resolve().parents[3]
BOTH_WAYS = """
import dataclasses, hashlib, json, sys
from pathlib import Path
from preflight.pulumi import program
from preflight.pulumi.project import Project
from preflight.pulumi.program import Run
from preflight.sdk import imports

if sys.argv[1] == "whole":
    imports.install = lambda: None
project = Project.load(Path("."))
program.load(project)
import pulumi_aws
reduced = type(pulumi_aws.__loader__).__module__ == imports.__name__
runs = [Run(project.stack(name), preview) for name in project.stacks() for preview in (False, True)]
recordings = program.collect(program.start(project, runs))
def plain(value):
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
recorded = {
    f"{stack} {preview}": json.dumps([dataclasses.asdict(one) for one in recording.resources], default=plain, sort_keys=True)
    for (stack, preview), recording in recordings.items()
}
print(json.dumps([reduced, {key: [text.count('"urn"'), hashlib.sha256(text.encode()).hexdigest()] for key, text in recorded.items()}]))
"""
BY_NAME = """
import importlib, json, sys
from preflight.sdk import imports
if sys.argv[1] == "reduced":
    imports.install()
import pulumi
from pulumi import _types
found = {}
for module in sys.argv[2:]:
    package = importlib.import_module(f"pulumi_aws.{module}")
    hasattr(package, "loaded")  # the SDK loads a service when one of its attributes is read
    for name in sorted(name for name in dir(package) if name[0].isupper()):
        one = getattr(package, name)
        if isinstance(one, type) and issubclass(one, pulumi.Resource):
            found[f"{module}.{name}"] = sorted((key, str(kind)) for key, kind in _types.resource_types(one).items())
        elif isinstance(one, type) and _types.is_input_type(one):
            found[f"{module}.{name}"] = sorted((key, str(kind)) for key, kind in _types.input_type_types(one).items())
    found |= {f"{module}.{name}": callable(getattr(package, name)) for name in dir(package) if name.startswith("get_")}
print(json.dumps([type(package.__loader__).__module__ == imports.__name__, found]))
"""


def run(program: str, *arguments: str) -> Any:  # noqa: ANN401 - what the program prints
    writing = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program, *arguments], cwd=ROOT, env=writing, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_both_forms_record_the_same() -> None:
    (reduced, recorded), (whole, expected) = run(BOTH_WAYS, "reduced"), run(BOTH_WAYS, "whole")
    assert (reduced, whole) == (True, False)
    assert recorded == expected
    assert len(recorded) == 4


def test_both_forms_have_the_same_classes_types_and_look_ups() -> None:
    modules = ("iam", "ecs", "rds", "sns")
    (reduced, found), (whole, expected) = run(BY_NAME, "reduced", *modules), run(BY_NAME, "whole", *modules)
    assert (reduced, whole) == (True, False)
    assert found == expected
    assert len(found) > 100


def test_a_look_up_is_callable_after_its_output_form() -> None:
    """Both are in one module, which has the name of the first."""
    program = "from preflight.sdk import imports; imports.install(); import pulumi_aws.iam as iam; import sys, json\n"
    program += "iam.get_role_output; print(json.dumps([callable(iam.get_role), hasattr(iam, 'not_there')]))"
    assert run(program) == [True, False]


def test_without_a_place_for_compiled_files_python_s_own_are_used() -> None:
    program = (
        "import json, sys; from preflight.sdk import imports; imports._own = lambda path: path + '.absent'; imports.install();"
        "import pulumi_aws.sqs as sqs; print(json.dumps(bool(sqs.Queue.fifo_queue.__doc__)))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-B", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) is True


def test_a_module_that_lists_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("x = 1\n")
    with pytest.raises(ImportError, match=r"odd\.py does not list what it exports"):
        imports.exported(tmp_path / "odd.py")
