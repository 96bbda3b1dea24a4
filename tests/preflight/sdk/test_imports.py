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


WHEN_USED = """
import json, sys
from preflight.sdk import imports
imports.install()
import pulumi_aws.wafv2 as wafv2
wafv2.WebAcl
before = {"_inputs": "pulumi_aws.wafv2._inputs" in sys.modules}
rule = wafv2.WebAclRuleArgs
module = sys.modules["pulumi_aws.wafv2._inputs"]
made = sorted(name for name in vars(module) if name.endswith("Args"))
print(json.dumps([before, made, rule is module.WebAclRuleArgs is wafv2.web_acl.WebAclRuleArgs, len(dir(module)) > 500]))
"""


def test_a_nested_type_is_made_when_its_name_is_first_used() -> None:
    assert run(WHEN_USED) == [{"_inputs": False}, ["WebAclRuleArgs"], True, True]


def compiled(folder: Path, source: str) -> dict[str, Any]:
    """The module ``example.service.outputs`` with this source, once it is imported."""
    package = folder / "example" / "service"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "_enums.py").write_text("__all__ = ['Size']\nclass Size:\n    small = \"small\"\n")
    (package / "outputs.py").write_text(source)
    program = (
        "import importlib, json, sys; from preflight.sdk import imports; imports.SDK = 'example'; imports.install();"
        "sys.path.insert(0, sys.argv[1]); module = importlib.import_module('example.service.outputs');"
        "before = sorted(name for name in vars(module) if name[0].isupper());"
        "print(json.dumps({'before': before, 'value': module.value()}))"
    )
    return run(program, str(folder))


@pytest.mark.parametrize(
    "source",
    [
        "class One:\n    two = 2\nclass Two(One):\n    pass\ndef value():\n    return 2\n",
        "class One:\n    two = 2\nclass Two:\n    pass\ndef value():\n    return One.two\n",
    ],
    ids=["another class", "a function"],
)
def test_a_class_that_other_code_needs_is_made_with_the_module(tmp_path: Path, source: str) -> None:
    assert compiled(tmp_path, source) == {"before": ["One", "Two"], "value": 2}


@pytest.mark.parametrize(
    "source",
    [
        "from ._enums import *\nclass One:\n    pass\ndef value():\n    return Size.small\n",
        "from ._enums import *\nclass One:\n    small = Size.small\ndef value():\n"
        "    import sys\n    return getattr(sys.modules[__name__], 'One').small\n",
    ],
    ids=["a function", "a class"],
)
def test_code_that_needs_a_class_of_another_module_has_it(tmp_path: Path, source: str) -> None:
    assert compiled(tmp_path, source) == {"before": ["Size"], "value": "small"}


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
