"""Whether the program that was asked for can be run here; if not, the error names the reason and what to do instead."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from preflight.errors import ConfigurationError
from preflight.pulumi.packs import SHIPPED
from preflight.pulumi.project import Project

_AUTOMATION = re.compile(
    r"^\s*(?:import pulumi\.automation|from pulumi\.automation import|from pulumi import .*\bautomation\b)"
)


def require_runnable(project: Project) -> None:
    """Raise ``ConfigurationError`` unless the project has a Python program."""
    if project.runtime != "python":
        raise ConfigurationError(
            f"{project.name} has the runtime {project.runtime} ({project.root / 'Pulumi.yaml'}), and this engine runs Python "
            "programs only.\n"
            "fix: let Pulumi's engine run the program and evaluate the same policies, in the project's folder:\n"
            "  preflight pack guardrails\n"
            "  pulumi preview --policy-pack guardrails"
        )
    if project.program.is_file() or (project.program / "__main__.py").is_file():
        return
    where = project.program.relative_to(project.root).as_posix() if project.program != project.root else "."
    raise ConfigurationError(
        f"{project.name} has no program: there is no __main__.py in {project.program}.\n"
        f"fix: create it, or name the program's folder or file as main in Pulumi.yaml (now: {where})"
        + _automation(project.root)
    )


def missing_module(name: str, project: Project) -> str:
    """The fix for a module that the program imports and this Python does not have."""
    if project.virtualenv:
        python = f"{project.virtualenv.rstrip('/')}/bin/python"
        return (
            f"fix: preflight runs the program in the Python that it is installed in ({sys.prefix}). Pulumi.yaml names the "
            f"environment {project.virtualenv}: install preflight there, and run {python} -m preflight"
        )
    return (
        f"fix: install {name.partition('.')[0]} in the Python that preflight runs in ({sys.prefix}), or install preflight in "
        "the program's environment"
    )


def _automation(root: Path) -> str:
    """The first line that uses the automation API, which has no ``Pulumi.yaml`` and no ``__main__.py``."""
    for path in sorted(root.glob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if _AUTOMATION.match(line):
                return (
                    f"\n{path.name}:{number} uses the automation API, which this engine does not run: move the program that it "
                    f"deploys to a project, or pass --policy-pack {SHIPPED} to its preview (policy_packs)"
                )
    return ""
