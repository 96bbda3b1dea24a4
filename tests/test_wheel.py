"""The wheel: it builds from what the repository tracks, holds all of it, and checks the program of another repository."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.preflight.sarif import validate_sarif

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tuple(
    name.rstrip("*")
    for name in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since a build leaves its folders beside the source. Nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in _tracked():
        copied = folder / "project" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copied)
    _pip(
        "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(folder / "project")
    )
    (built,) = folder.glob("*.whl")
    return built


def _tracked() -> list[str]:
    """Relative paths, with / as separator."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    return [name for name in listed.split("\0") if (ROOT / name).is_file()]


def _pip(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_wheel_holds_every_tracked_file_of_its_packages(wheel: Path) -> None:
    """A data file with an ending that pyproject.toml does not list would be missing at run time only."""
    expected = {name for name in _tracked() if name.partition("/")[0] in PACKAGES}

    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}

    assert held == expected


def test_the_wheel_has_every_package_that_it_imports() -> None:
    """A package that is left out would be missing at run time only."""
    roots = {name.partition("/")[0] for name in _tracked() if name.endswith("/__init__.py")}
    for name in _tracked():
        if not name.endswith(".py") or name.partition("/")[0] not in PACKAGES:
            continue
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            needed = {module.partition(".")[0] for module in imported} & roots
            assert needed <= set(PACKAGES), f"{name} imports {needed - set(PACKAGES)}"


SHOP = """
import pulumi
import pulumi_aws as aws

from components import store

store.uploads("uploads")
group = aws.ec2.SecurityGroup("web", description="web")
aws.vpc.SecurityGroupIngressRule("https", security_group_id=group.id, ip_protocol="tcp", from_port=443, to_port=443,
                                 cidr_ipv4="0.0.0.0/0")
network = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
gateway = aws.ec2.InternetGateway("main", vpc_id=network.id)
table = aws.ec2.RouteTable("public", vpc_id=network.id)
aws.ec2.Route("out", route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id)
subnet = aws.ec2.Subnet("a", vpc_id=network.id, cidr_block="10.0.0.0/24")
aws.ec2.RouteTableAssociation("a", route_table_id=table.id, subnet_id=subnet.id)
pulumi.export("group", group.id)
"""
STORE = """
import json

import pulumi_aws as aws


def uploads(name):
    bucket = aws.s3.Bucket(name, force_destroy=True)
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    aws.s3.BucketPublicAccessBlock(name, bucket=bucket.id, block_public_policy=False, restrict_public_buckets=False)
    aws.s3.BucketPolicy(
        name, bucket=bucket.id, policy=bucket.arn.apply(lambda arn: json.dumps({"Statement": [{**everyone, "Resource": f"{arn}/*"}]}))
    )
    return bucket
"""
LOOKS_UP = """
import pulumi
import pulumi_aws as aws

network = pulumi.StackReference("acme/network/dev")
image = aws.ec2.get_ami(owners=["amazon"], most_recent=True)
trusted = aws.iam.get_policy_document(statements=[aws.iam.GetPolicyDocumentStatementArgs(
    actions=["sts:AssumeRole"],
    principals=[aws.iam.GetPolicyDocumentStatementPrincipalArgs(type="AWS", identifiers=["*"])],
)])
aws.iam.Role("host", assume_role_policy=trusted.json)
aws.ec2.Instance("host", ami=image.id, instance_type="t3.micro", subnet_id=network.get_output("subnetId"))
"""
PROJECT = {"Pulumi.yaml": "name: shop\nruntime: python\n", "Pulumi.dev.yaml": "config:\n  aws:region: eu-west-1\n"}


class Elsewhere:
    """Another repository, with the wheel installed."""

    def __init__(self, folder: Path, installed: Path, files: dict[str, str]) -> None:
        self.folder = folder
        self._command = installed / "bin" / "preflight"
        self._environment = {**os.environ, "PYTHONPATH": str(installed)}
        for name, text in (PROJECT | files).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        self._git("init", "--quiet")
        self.commit()

    def commit(self) -> None:
        self._git("add", "--all")
        self._git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "a change")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True)  # noqa: S603, S607

    def preflight(self, *arguments: str, code: int) -> str:
        done = subprocess.run(  # noqa: S603 - the command under test
            [self._command, *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout or done.stderr


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, with none of the packages that only the development of this repository needs."""
    folder = tmp_path_factory.mktemp("installed")
    _pip("install", "--no-deps", "--no-index", "--no-compile", "--target", str(folder), str(wheel))
    for name in sorted(_not_required()):
        (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError('hidden by the test', name={name!r})\n")
    return folder


def _not_required() -> set[str]:
    """The importable names of installed packages that the wheel does not require, directly or indirectly."""
    required: set[str] = set()
    pending = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    while pending:
        requirement = Requirement(pending.pop())
        name = canonicalize_name(requirement.name)
        if name in required or not (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            continue
        required.add(name)
        pending = [*pending, *(metadata.requires(name) or [])]
    return {
        module
        for module, names in metadata.packages_distributions().items()
        if module.isidentifier()
        and not required & {canonicalize_name(name) for name in names}
        and module not in PACKAGES
    }


@pytest.mark.slow
def test_packages_of_development_are_hidden_from_the_wheel() -> None:
    assert {"botocore", "cfnlint", "pytest"} <= _not_required()
    assert not {"pulumi", "pulumi_aws", "pydantic", "pydantic_core", "grpc"} & _not_required()


@pytest.mark.slow
def test_the_program_of_another_repository_is_checked_compared_and_commented(installed: Path, tmp_path: Path) -> None:
    shop = Elsewhere(tmp_path, installed, {"__main__.py": SHOP, "components/store.py": STORE})
    checked = json.loads(shop.preflight("check", "--format", "json", code=1))
    public = [finding for finding in checked["findings"] if finding["rule"] == "s3-public-bucket"]
    assert {(finding["verdict"], finding["source_file"]) for finding in public} == {("violated", "components/store.py")}
    assert all("aws.s3.Bucket" in STORE.splitlines()[finding["source_line"] - 1] for finding in public)
    assert {rule["pack"] for rule in checked["rules"]} == {"ai-interface-guardrails"}
    assert checked["parity"] is None
    (note,) = checked["notes"]
    assert note.startswith("there is no policy pack in policies/*/: asked the guardrails that come with preflight")
    about_us = [
        f for f in checked["findings"] if "ai-interface" in f["headline"] or f["source_file"].startswith("policies")
    ]
    assert about_us == []

    (tmp_path / "__main__.py").write_text(SHOP.replace('0.0.0.0/0")', '10.0.0.0/8")'), encoding="utf-8")
    said = shop.preflight("diff", "HEAD", code=0)
    assert "vpc.SecurityGroupIngressRule https.cidrIpv4: 0.0.0.0/0 → 10.0.0.0/8" in said
    shop.preflight("bundle", "reports", "--base", "HEAD", code=1)
    comment = (tmp_path / "reports" / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- ai-interface preflight -->\n### shop preflight: ")
    assert "vpc.SecurityGroupIngressRule https.cidrIpv4: 0.0.0.0/0 → 10.0.0.0/8" in comment
    sarif = json.loads((tmp_path / "reports" / "check.sarif").read_text(encoding="utf-8"))
    validate_sarif(sarif)
    locations = [result["locations"][0]["physicalLocation"] for result in sarif["runs"][0]["results"]]
    assert "components/store.py" in {location["artifactLocation"]["uri"] for location in locations}


@pytest.mark.slow
def test_look_ups_of_another_repository_are_unknown_and_named(installed: Path, tmp_path: Path) -> None:
    shop = Elsewhere(tmp_path, installed, {"__main__.py": LOOKS_UP})
    checked = json.loads(shop.preflight("check", "--format", "json", code=1))
    named = {(f["headline"], f["source_line"]) for f in checked["findings"] if f["rule"] == "recorded-values-are-known"}
    assert named == {
        ("the result of aws:ec2/getAmi:getAmi is not known here", 6),
        ("output subnetId of the stack acme/network/dev is not known here", 12),
    }
    verdicts = {finding["rule"]: finding["verdict"] for finding in checked["findings"]}
    assert verdicts["iam-role-trust-is-narrow"] == "violated", "the document is computed"
    assert verdicts["reachability-no-internal-endpoint-reachable"] == "not proven"
    assert "ec2.Instance" not in shop.preflight("diff", "HEAD", code=0), "the same look-up is no change"


@pytest.mark.slow
def test_the_pack_of_the_wheel_is_written_for_the_engine(installed: Path, tmp_path: Path) -> None:
    shop = Elsewhere(tmp_path, installed, {"Pulumi.yaml": "name: shop\nruntime: nodejs\n"})
    assert "preflight pack guardrails" in shop.preflight("check", code=2)
    assert "pulumi preview --policy-pack guardrails" in shop.preflight("pack", "guardrails", code=0)
    assert (tmp_path / "guardrails" / "PulumiPolicy.yaml").is_file()


@pytest.mark.slow
def test_every_command_of_the_wheel_starts(installed: Path, tmp_path: Path) -> None:
    shop = Elsewhere(tmp_path, installed, {"__main__.py": SHOP, "components/store.py": STORE})
    assert "Every container image is pinned" in shop.preflight("explain", "ecs-images-by-digest", code=0)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert shop.preflight("--version", code=0) == f"preflight {version}\n"
    assert json.loads(shop.preflight("graph", "dev", code=0))["project"] == "shop"
