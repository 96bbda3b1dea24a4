"""The workflows are valid, pinned and free of injection, and each job has only the permissions that it needs.

``zizmor`` (offline) checks security, ``check-jsonschema`` validates every file against GitHub's schema, and ``shellcheck``
checks the jobs' scripts. For each tool, a test first shows that it finds something.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.pipelines import SESSION_SECONDS
from bootstrap.role_scope import PROVIDER_HOST
from releases import attestation
from tests.bootstrap.program import PREFIX, run_bootstrap, stack_file

ROOT = Path(__file__).resolve().parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path for path in sorted((GITHUB / "workflows").glob("*.yml"))}
ACTIONS = sorted(GITHUB.glob("actions/*/action.yml"))
BIN = Path(sys.executable).parent
BASH = shutil.which("bash") or "/bin/bash"
PACKS = ("policies/guardrails", "policies/parity")
READ = {"contents": "read"}


def tool(name: str, *arguments: str, text: str = "") -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own tools
        [str(BIN / name), *arguments], cwd=ROOT, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


def loaded(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["on"] = content.pop(True, None)  # YAML 1.1 reads the key as a truth value
    return content


def jobs(name: str) -> dict[str, dict[str, Any]]:
    return loaded(WORKFLOWS[name])["jobs"]


def steps() -> list[tuple[str, dict[str, Any]]]:
    found = [(name, step) for name in WORKFLOWS for job in jobs(name).values() for step in job.get("steps", ())]
    return found + [(path.parent.name, step) for path in ACTIONS for step in loaded(path)["runs"]["steps"]]


def scripts() -> list[tuple[str, str]]:
    return [(place, step["run"]) for place, step in steps() if "run" in step]


# -- the tools find something ------------------------------------------------------------------------------------------

BAD = """
on: pull_request_target
jobs:
  bad:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.event.pull_request.title }}"
"""


def test_zizmor_finds_an_injection(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(BAD, encoding="utf-8")
    code, said = tool("zizmor", "--offline", "--no-progress", str(path))
    assert code != 0
    for audit in ("template-injection", "dangerous-triggers", "unpinned-uses"):
        assert audit in said


def test_the_schema_finds_a_wrong_key(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(BAD.replace("runs-on", "run-on"), encoding="utf-8")
    assert tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path))[0] != 0


def test_shellcheck_finds_an_unquoted_variable() -> None:
    assert tool("shellcheck", "--shell", "bash", "-", text="ls $1\n")[0] != 0


# -- and nothing here --------------------------------------------------------------------------------------------------


def test_zizmor_has_no_finding() -> None:
    code, said = tool("zizmor", "--offline", "--no-progress", "--config", ".github/zizmor.yml", ".github")
    assert code == 0, said
    assert "No findings to report" in said


@pytest.mark.parametrize("path", WORKFLOWS.values(), ids=str)
def test_a_workflow_has_githubs_schema(path: Path) -> None:
    code, said = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path))
    assert code == 0, said


@pytest.mark.parametrize("path", ACTIONS, ids=str)
def test_an_action_has_githubs_schema(path: Path) -> None:
    code, said = tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", str(path))
    assert code == 0, said


@pytest.mark.parametrize(("place", "script"), scripts())
def test_a_script_is_sound_and_takes_nothing_from_expressions(place: str, script: str) -> None:
    assert "${{" not in script, f"{place}: give it as an environment variable"
    code, said = tool("shellcheck", "--shell", "bash", "-", text=script)
    assert code == 0, said


def test_every_action_is_pinned_by_the_digest_of_a_commit_and_says_which_version() -> None:
    lines = [
        line.strip().removeprefix("- ")
        for path in (*WORKFLOWS.values(), *ACTIONS)
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().removeprefix("- ").startswith("uses:")
    ]
    outside = [line for line in lines if not line.startswith("uses: ./")]
    assert len(outside) > 10
    assert [line for line in outside if not re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    pins: dict[str, set[str]] = {}
    for line in outside:
        action, _, pin = line.removeprefix("uses: ").partition("@")
        pins.setdefault(action, set()).add(pin)
    assert {action: len(versions) for action, versions in pins.items() if len(versions) > 1} == {}


def test_every_local_action_and_workflow_exists() -> None:
    local = {step["uses"] for _, step in steps() if step.get("uses", "").startswith("./")}
    local |= {job["uses"] for name in WORKFLOWS for job in jobs(name).values() if "uses" in job}
    for place in local:
        path = ROOT / place
        assert path.is_file() or (path / "action.yml").is_file(), place


# -- rights ------------------------------------------------------------------------------------------------------------

DEPLOYS = {"contents": "read", "id-token": "write"}
RIGHTS = {
    ("pull-request", "comment"): {"pull-requests": "write"},
    ("pull-request", "code-scanning"): {"actions": "read", "contents": "read", "security-events": "write"},
    ("images", "copy"): DEPLOYS,
    ("deploy", "images"): DEPLOYS,
    ("deploy", "deploy"): DEPLOYS,
    ("deploy", "verify"): DEPLOYS,
    ("deploy", "attest"): {"actions": "read", **DEPLOYS},
    ("deploy", "record"): {"contents": "write"},
    ("staging", "staging"): {"actions": "read", "contents": "write", "id-token": "write"},
    ("prod", "preview"): DEPLOYS,
    ("prod", "prod"): {"actions": "read", "contents": "write", "id-token": "write"},
    ("drift", "drift"): DEPLOYS,
    ("drift", "due"): DEPLOYS,
    ("drift", "notify"): {"actions": "read", "contents": "read", "issues": "write"},
}
"""What a job may beyond reading the repository. Jobs that call a workflow hand on what its jobs take."""


def test_each_job_has_exactly_the_rights_that_it_needs() -> None:
    for name, path in WORKFLOWS.items():
        assert loaded(path)["permissions"] == READ, name
        for job, content in jobs(name).items():
            assert content.get("permissions", READ) == RIGHTS.get((name, job), READ), (name, job)


def test_no_checkout_keeps_a_token() -> None:
    checkouts = [step for _, step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_pull_request_has_no_credentials() -> None:
    for name in ("pull-request", "engine"):
        text = WORKFLOWS[name].read_text(encoding="utf-8")
        for word in ("secrets.", "id-token", "environment:", "pull_request_target", "workflow_run"):
            assert word not in text, (name, word)


def test_what_writes_a_comment_or_a_record_never_has_cloud_credentials() -> None:
    for name in WORKFLOWS:
        for job, content in jobs(name).items():
            rights = content.get("permissions", READ)
            if "steps" in content and any(level == "write" for right, level in rights.items() if right != "id-token"):
                assert "id-token" not in rights, (name, job)
                secrets = set(re.findall(r"secrets\.\w+", yaml.safe_dump(content)))
                assert secrets <= ({"secrets.RECORD_APP_KEY"} if job == "record" else set()), (name, job)


def test_a_comment_is_written_without_the_pull_requests_code() -> None:
    for step in jobs("pull-request")["comment"]["steps"]:
        assert not step.get("uses", "").startswith("actions/checkout@")
        assert ".venv" not in step.get("run", "")


# -- deploying ---------------------------------------------------------------------------------------------------------


def assumed() -> list[tuple[str, str, str, str]]:
    """Workflow, job, GitHub environment and role of every job with cloud credentials."""
    found: list[tuple[str, str, str, str]] = []
    for name in WORKFLOWS:
        for job, content in jobs(name).items():
            for step in content.get("steps", ()):
                if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@"):
                    found.append((name, job, content["environment"], step["with"]["role-to-assume"]))
    return found


def test_only_the_protected_environment_of_a_stack_assumes_its_deploy_role() -> None:
    assert assumed() == [
        ("deploy", "deploy", "${{ inputs.stack }}", "${{ vars.DEPLOY_ROLE_ARN }}"),
        ("deploy", "verify", "${{ inputs.stack }}-preview", "${{ vars.PREVIEW_ROLE_ARN }}"),
        ("deploy", "attest", "${{ inputs.stack }}-record", "${{ vars.RECORD_ROLE_ARN }}"),
        ("drift", "drift", "${{ matrix.stack }}-preview", "${{ vars.PREVIEW_ROLE_ARN }}"),
        ("drift", "due", "${{ matrix.stack }}-preview", "${{ vars.PREVIEW_ROLE_ARN }}"),
        ("images", "copy", "${{ inputs.stack }}-images", "${{ vars.IMAGES_ROLE_ARN }}"),
        ("prod", "preview", "prod-preview", "${{ vars.PREVIEW_ROLE_ARN }}"),
    ]


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_environments_are_those_that_the_roles_trust(stack: str) -> None:
    statements = [
        json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]
        for role in run_bootstrap(stack).of_type("aws:iam/role:Role")
    ]
    trusted = {
        one["Condition"]["StringEquals"][f"{PROVIDER_HOST}:sub"][0]
        for one in statements
        if "Federated" in one["Principal"]
    }
    assert trusted == {
        f"repo:{stack_file(stack)[f'{PREFIX}continuousIntegration']['repository']}:environment:{stack}{suffix}"
        for suffix in ("", "-images", "-preview", "-record")
    }
    assert jobs(stack)[stack]["uses"] == "./.github/workflows/deploy.yml"
    assert jobs(stack)[stack]["with"] == {"stack": stack}
    for check in ("drift", "due"):
        assert stack in jobs("drift")[check]["strategy"]["matrix"]["stack"]


def test_what_deploys_or_previews_runs_both_packs_and_the_preview_is_the_gate() -> None:
    commands = [script for _, script in scripts() if re.search(r"pulumi (up|preview|policy analyze)\b", script)]
    deploying = [script for script in commands if "--expect-no-changes" not in script]
    assert len(deploying) == 3
    for script in deploying:
        assert all(f"--policy-pack {pack}" in script for pack in PACKS), script
    assert not any("--skip-preview" in script for _, script in scripts())


def test_the_images_are_in_the_account_before_the_deployment() -> None:
    images, copy = jobs("deploy")["images"], jobs("images")["copy"]
    assert (images["uses"], images["with"]) == ("./.github/workflows/images.yml", {"stack": "${{ inputs.stack }}"})
    assert jobs("deploy")["deploy"]["needs"] == "images"
    (step,) = [step for step in copy["steps"] if "copy_images" in step.get("run", "")]
    assert step["env"] == {"STACK": "${{ inputs.stack }}", "RELEASE": "${{ inputs.release }}"}
    assert copied(step["run"], STACK="prod", RELEASE="") == ["--stack", "prod"]
    assert copied(step["run"], STACK="prod", RELEASE="2026.1.1") == ["--stack", "prod", "--release", "2026.1.1"]
    minutes = copy["timeout-minutes"]
    assert minutes * 60 <= SESSION_SECONDS, "the credentials end before the job"


def copied(script: str, **variables: str) -> list[str]:
    """The arguments that the step's script gives to the program."""
    program = script.split(maxsplit=1)[0]
    told = script.replace(program, "printf '%s\\n'", 1)
    done = subprocess.run(  # noqa: S603 - a script of this repository, with printf instead of the program
        [BASH, "-c", told], env=variables, capture_output=True, text=True, timeout=10, check=True
    )
    module, name, *arguments = done.stdout.splitlines()
    assert (module, name) == ("-m", "bootstrap.copy_images")
    return arguments


def test_a_release_is_recorded_only_when_what_runs_has_been_verified() -> None:
    deploy = jobs("deploy")
    assert deploy["verify"]["needs"] == "deploy"
    assert deploy["attest"]["needs"] == ["deploy", "verify"]
    assert deploy["record"]["needs"] == ["deploy", "attest"]
    assert not any("if" in job or "continue-on-error" in job for job in deploy.values())
    scripts_of = {name: [step["run"] for step in job.get("steps", ()) if "run" in step] for name, job in deploy.items()}
    (verifies,) = [script for script in scripts_of["verify"] if "preflight verify" in script]
    assert 'preflight verify "$STACK"' in verifies
    assert verifies.rstrip().endswith('exit "$code"')
    assert not any("continue-on-error" in step for step in deploy["verify"]["steps"])
    assert any("preflight release attest" in script and "--approvals" in script for script in scripts_of["attest"])
    assert any('preflight release record "$STACK" --entry "$ENTRY"' in script for script in scripts_of["record"])


def test_the_entry_is_made_where_no_other_code_of_the_deployment_ran() -> None:
    """The job with the role that signs runs the project's setup and the command alone, and has no other secret."""
    attest = jobs("deploy")["attest"]
    assert [step["run"].splitlines()[0].partition("(")[0] for step in attest["steps"] if "run" in step] == [
        "make setup",
        'entry="$',
    ]
    assert "secrets." not in yaml.safe_dump(attest)
    (credentials,) = [step for step in attest["steps"] if "configure-aws-credentials" in step.get("uses", "")]
    assert credentials["if"] == "${{ hashFiles(format('releases/keys/{0}.yaml', inputs.stack)) != '' }}"
    assert attestation.place("x") == "releases/keys/x.yaml"


def test_the_apps_key_is_given_to_one_step_only() -> None:
    (step,) = [step for _, step in steps() if "RECORD_APP_KEY" in yaml.safe_dump(step)]
    assert "uses" not in step
    assert ".venv" not in step["run"]


def test_only_deploy_changes_anything() -> None:
    changing = [
        place for place, script in scripts() if re.search(r"pulumi (up|destroy|refresh|import|cancel)\b", script)
    ]
    assert changing == ["deploy"]


def test_every_merge_goes_to_staging_and_prod_moves_with_its_stack_file_only() -> None:
    staging, prod = loaded(WORKFLOWS["staging"])["on"], loaded(WORKFLOWS["prod"])["on"]
    assert staging["push"] == {"branches": ["main"], "paths-ignore": ["releases/deployed.yaml", "docs/**", "*.md"]}
    assert prod["push"] == {"branches": ["main"], "paths": ["Pulumi.prod.yaml"]}
    assert jobs("prod")["prod"]["needs"] == "preview"


def test_a_deployment_is_never_stopped_half_way_by_the_next_one() -> None:
    for name in ("staging", "prod"):
        assert loaded(WORKFLOWS[name])["concurrency"] == {"group": f"deploy-{name}", "cancel-in-progress": False}


def test_the_drift_check_runs_every_night_and_expects_no_changes() -> None:
    assert loaded(WORKFLOWS["drift"])["on"]["schedule"] == [{"cron": "37 3 * * *"}]
    text = "\n".join(script for place, script in scripts() if place == "drift")
    assert "pulumi preview --refresh --expect-no-changes" in text
    assert "pulumi policy analyze --file" in text
    # A check that cannot ask must not look like one that found nothing.
    assert 'preflight due "$STACK" --strict' in text


def test_drift_notifies_also_when_the_check_could_not_run() -> None:
    notify = jobs("drift")["notify"]
    assert notify["needs"] == ["drift", "due"]
    assert notify["if"] == "${{ !cancelled() && github.ref == 'refs/heads/main' }}"
    for section in notify["needs"]:
        assert f"### {section}\n" in (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
