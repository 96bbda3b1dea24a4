"""A baseline freezes what a stack has, stops what is new, and expires."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.guardrails import baseline
from policies.guardrails.adoption import reports, written
from policies.guardrails.configuration import policies
from policies.guardrails.evaluation import Evaluation, Report
from policies.guardrails.exceptions import Exemptions
from policies.guardrails.rule import Level
from policies.guardrails.rules import RULES
from preflight.pulumi.analyzer import AnalyzerClient
from tests.policies.wire import PACK, r

TODAY = dt.date(2026, 11, 30)
NAMES = [rule.name for rule in RULES]
BASELINE = {"guardrails:profile": "baseline"}
OPEN = r("rds.Instance", "db", publiclyAccessible=True, storageEncrypted=False)
BUCKET = r("s3.BucketAcl", "site", acl="public-read")


def state(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """A stack as ``pulumi stack export`` prints it."""
    entries = [{**entry, "outputs": {**entry["inputs"], "id": entry["name"]}, "custom": True} for entry in resources]
    return {"version": 3, "deployment": {"manifest": {}, "resources": json.loads(json.dumps(entries))}}


def options(**changed: object) -> argparse.Namespace:
    values = {"owner": "platform", "expires": TODAY + dt.timedelta(days=90), "profile": "baseline", "exceptions": None}
    return argparse.Namespace(**{**values, **changed})


def frozen(*resources: Mapping[str, Any]) -> str:
    return written(state(*resources), options(), TODAY)[0]


def found(text: str, resources: Iterable[Mapping[str, Any]], today: dt.date = TODAY) -> list[Report]:
    read = baseline.read(text, "frozen.yaml", NAMES, today)
    return reports(state(*resources), Evaluation(policies(RULES, {}, BASELINE), Exemptions(), read))


def blocking(reports_: Iterable[Report]) -> set[tuple[str, str]]:
    return {(one.rule.name, one.finding.resource) for one in reports_ if one.level is Level.MANDATORY}


def about_the_file(reports_: Iterable[Report]) -> list[tuple[str, str]]:
    return [(str(one.level), one.finding.message()) for one in reports_ if one.rule.name == "stack-baseline-current"]


def test_what_exists_is_frozen_and_named_in_one_line() -> None:
    before = reports(state(OPEN, BUCKET), Evaluation(policies(RULES, {}, BASELINE), Exemptions()))
    assert {name for name, _ in blocking(before)} >= {
        "rds-public-database",
        "stack-encryption-at-rest",
        "s3-public-bucket",
    }
    after = found(frozen(OPEN, BUCKET), [OPEN, BUCKET])
    assert blocking(after) == set()
    entries = {baseline.entry_of(one.rule.name, one.finding) for one in before}
    rules = {policy for policy, *_ in entries}
    assert len(after) == 1
    assert about_the_file(after) == [
        (
            "advisory",
            f"violated: frozen.yaml freezes findings until 2027-02-28\nfound: {len(entries)} findings of {len(rules)} "
            "policies\nwanted: none\nfix: fix them before that day",
        )
    ]


def test_a_new_resource_stops() -> None:
    other = r("s3.BucketAcl", "another", acl="public-read")
    assert blocking(found(frozen(OPEN, BUCKET), [OPEN, BUCKET, other])) == {
        ("s3-public-bucket", "s3.BucketAcl another")
    }


def test_a_finding_whose_value_changes_is_new() -> None:
    worse = r("s3.BucketAcl", "site", acl="public-read-write")
    assert blocking(found(frozen(OPEN, BUCKET), [OPEN, worse])) == {("s3-public-bucket", "s3.BucketAcl site")}


def test_what_was_fixed_is_named() -> None:
    (_, said), *_ = about_the_file(found(frozen(OPEN, BUCKET), [OPEN]))
    assert "1 entries match no finding any more" in said
    assert "write the file again" in said


def test_on_its_day_it_freezes_nothing_and_blocks() -> None:
    text, last = frozen(OPEN, BUCKET), TODAY + dt.timedelta(days=89)
    assert blocking(found(text, [OPEN, BUCKET], last)) == set()
    after = found(text, [OPEN, BUCKET], last + dt.timedelta(days=1))
    assert blocking(after) > {("s3-public-bucket", "s3.BucketAcl site"), ("stack-baseline-current", "frozen.yaml")}
    ((level, said),) = about_the_file(after)
    assert level == "mandatory"
    assert said.splitlines()[0] == "violated: frozen.yaml has expired"
    assert "findings are no longer frozen" in said
    assert "platform write the file again: python <the pack's folder> baseline" in said


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("owner: platform", "owner: ''"), "has no owner"),
        (("expires: 2027-02-28", "expires: soon"), "has no valid expiry date"),
        (("expires: 2027-02-28", "expires: 2029-01-01"), "is valid for too long"),
        (("policy: s3-public-bucket", "policy: s3-public-buckets"), "does not name a policy"),
        (("urn: ", "urm: "), "has an entry that is not in order"),
        (("frozen:", "frozzen:"), "is not a baseline"),
        (("owner: platform", "owner: ["), "is unreadable"),
    ],
)
def test_a_file_that_is_not_in_order_freezes_nothing(changed: tuple[str, str], says: str) -> None:
    text = frozen(BUCKET)
    assert changed[0] in text
    after = found(text.replace(*changed), [BUCKET])
    assert ("s3-public-bucket", "s3.BucketAcl site") in blocking(after)
    assert [(level, said.splitlines()[0]) for level, said in about_the_file(after)] == [
        ("mandatory", f"violated: frozen.yaml {says}")
    ]


def test_a_former_id_freezes_the_present_policy() -> None:
    text = frozen(BUCKET).replace("policy: s3-public-bucket", "policy: public-bucket")
    assert blocking(found(text, [BUCKET])) == set()


def test_an_expiry_that_is_not_allowed_is_refused() -> None:
    for day in (TODAY, TODAY + dt.timedelta(days=367)):
        with pytest.raises(ValueError, match="allowed: a day from tomorrow to 2027-12-01"):
            written(state(BUCKET), options(expires=day), TODAY)


def test_an_excepted_finding_is_not_frozen(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.yaml"
    file.write_text(
        "exceptions: [{policy: s3-public-bucket, urn: '*::site', reason: a site, owner: web, expires: 2027-01-01}]"
    )
    text, _ = written(state(OPEN, BUCKET), options(exceptions=file), TODAY)
    assert "s3-public-bucket" not in text
    assert "rds-public-database" in text


def test_the_folder_writes_the_file_that_the_pack_reads(tmp_path: Path) -> None:
    export, output = tmp_path / "export.json", tmp_path / "frozen.yaml"
    export.write_text(json.dumps(state(OPEN, BUCKET)))
    expires = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    command = [
        sys.executable,
        PACK,
        "baseline",
        "--owner",
        "platform",
        "--export",
        str(export),
        "--output",
        str(output),
    ]
    done = subprocess.run([*command, "--expires", str(expires)], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith(f"wrote {output}: ")
    config = {**BASELINE, "guardrails:baseline": str(output)}
    with AnalyzerClient.start(Path(PACK), stack="test", config=config) as pack:
        levels = {
            (item.policy, item.enforcement) for item in pack.check(state(OPEN, BUCKET)["deployment"]["resources"])
        }
    assert levels == {("stack-baseline-current", "advisory")}


@pytest.mark.parametrize("text", ["", "[]", '{"deployment": {}}', "{"])
def test_what_is_no_export_gets_one_clear_message(tmp_path: Path, text: str) -> None:
    export = tmp_path / "export.json"
    export.write_text(text)
    command = [sys.executable, PACK, "baseline", "--owner", "x", "--expires", "2027-01-01", "--export", str(export)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert done.stderr.startswith(f"no baseline was written: {export} is not an exported stack")
    assert done.stderr.count("\n") == 1
