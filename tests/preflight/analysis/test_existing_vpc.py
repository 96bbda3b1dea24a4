"""docs/existing-vpc.md, followed to the letter: a whole check of both environments in VPCs that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
PARTS = (
    "bootstrap",
    ".github",
    "__main__.py",
    "assembly",
    "components",
    "policies",
    "preflight",
    "prompts",
    "releases",
    "settings",
)


def _preflight(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "preflight", *command], cwd=folder, capture_output=True, text=True, check=False
    )


def _follow(folder: Path) -> None:
    """Copy the project and do what the page says."""
    stack, exceptions = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/existing-vpc.md").read_text(), re.DOTALL)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy(source, folder)
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, folder)
    for file in folder.glob("Pulumi.*.yaml"):
        content = yaml.safe_load(file.read_text())
        content["config"].update(yaml.safe_load(stack))
        file.write_text(yaml.safe_dump(content))
    with (folder / "policies/exceptions.yaml").open("a") as file:
        file.write(exceptions)
    differences = folder / "policies/parity/differences.yaml"
    content = yaml.safe_load(differences.read_text())
    content["differences"] = [d for d in content["differences"] if d["kind"] != "availability zones"]
    differences.write_text(yaml.safe_dump(content))


def test_the_page_leads_to_a_clean_check_and_what_is_vouched_for_is_shown(tmp_path: Path) -> None:
    _follow(tmp_path)
    written = _preflight(tmp_path, "shapes", "--write")
    checked = _preflight(tmp_path, "check")

    assert (written.returncode, checked.returncode) == (0, 0), checked.stdout
    vouched = {line.split()[0] for line in checked.stdout.splitlines() if re.match(r"  [a-z-]+ until ", line)}
    always = yaml.safe_load((ROOT / "policies/exceptions.yaml").read_text())["exceptions"]
    assert vouched - {exception["policy"] for exception in always} == {
        "backup-restore-tests-are-private",
        "vpc-default-security-groups-locked",
        "vpc-flow-logs-recorded",
        "reachability-no-internal-endpoint-reachable",
        "stack-ownership-tags",
    }
    assert "not proven that no other ingress path exists" in checked.stdout


def test_without_an_owner_who_vouches_the_private_subnets_are_not_proven(tmp_path: Path) -> None:
    _follow(tmp_path)
    shutil.copy(ROOT / "policies/exceptions.yaml", tmp_path / "policies/exceptions.yaml")
    checked = _preflight(tmp_path, "check", "--stack", "prod")

    assert checked.returncode == 1
    assert "ecs.Service service-service.networkConfiguration.subnets" in " ".join(checked.stdout.split())
