"""The account's baseline: who did what is recorded, and threats, changes and outside access are detected.

The stack works without it, but its alarms on changes do not: EventBridge receives calls of the management plane only while a
trail logs them (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html). An organization
often has the baseline in other accounts. What cannot be seen from this account is undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from preflight.account.lines import CannotTellError, Group, Line, joined
from preflight.account.session import RefusedError
from preflight.ready.context import Part, ReadyContext

OFFER = "accountBaseline in bootstrap/Pulumi.<account>.yaml"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def trail(context: ReadyContext, group: Group) -> Iterator[Line]:
    """A trail of all regions logs every call of the management plane and can prove that no log file was changed."""
    ask, fix = context.account.ask, f"set trail of {OFFER}, or have the organization create a trail for all accounts"
    trails = ask("cloudtrail", "describe_trails", includeShadowTrails=True)["trailList"]
    lacking: dict[str, list[str]] = {}
    unread: CannotTellError | None = None
    for one in sorted(trails, key=lambda found: found["Name"]):
        arn, home = str(one["TrailARN"]), str(one.get("HomeRegion", ""))
        try:
            status = ask("cloudtrail", "get_trail_status", home, Name=arn)
            selectors = ask("cloudtrail", "get_event_selectors", home, TrailName=arn)
        except CannotTellError as error:
            unread = error
            continue
        except RefusedError as error:  # a trail of the organization, seen from a member
            unread = CannotTellError(
                str(error), "read the trail with credentials of the organization's management account"
            )
            continue
        checks = {
            "all regions": one.get("IsMultiRegionTrail") is True,
            "validation of log files": one.get("LogFileValidationEnabled") is True,
            "logging": status.get("IsLogging") is True,
            "every call of the management plane": _of_management(selectors),
        }
        lacking[one["Name"]] = [name for name, holds in checks.items() if not holds]
    if complete := sorted(name for name, missing in lacking.items() if not missing):
        yield group.ok("CloudTrail", f"{joined(complete)} logs every call of the management plane in all regions")
    elif unread is not None:
        yield group.cannot_tell("CloudTrail", unread.reason, unread.fix)
    else:
        listed = [f"{name} lacks {joined(missing)}" for name, missing in sorted(lacking.items())]
        yield group.missing("CloudTrail", "; ".join(listed) or "the account has no trail", fix)


def _of_management(selectors: Mapping[str, Any]) -> bool:
    """Whether reads and writes of the management plane are logged, with either form of selector."""
    if any(
        one.get("IncludeManagementEvents") is True
        and one.get("ReadWriteType") == "All"
        and "kms.amazonaws.com" not in one.get("ExcludeManagementEventSources", ())
        for one in selectors.get("EventSelectors") or ()
    ):
        return True
    for one in selectors.get("AdvancedEventSelectors") or ():
        fields = {field["Field"]: field for field in one["FieldSelectors"]}
        if fields.get("eventCategory", {}).get("Equals") == ["Management"] and set(fields) == {"eventCategory"}:
            return True
    return False


def guard_duty(context: ReadyContext, group: Group) -> Iterator[Line]:
    """GuardDuty evaluates the region's events."""
    account = context.account
    detectors = account.every("guardduty", "list_detectors", "DetectorIds")
    states = [str(account.ask("guardduty", "get_detector", DetectorId=one).get("Status")) for one in detectors]
    yield group.holds(
        "GuardDuty",
        "ENABLED" in states,
        f"the detector of {context.wanted.region} is {joined(states)}"
        if states
        else f"{context.wanted.region} has no detector",
        f"set guardDuty of {OFFER}, or have the organization's delegated administrator enable it",
    )


def recorder(context: ReadyContext, group: Group) -> Iterator[Line]:
    """AWS Config records the configuration of all types of resources."""
    account = context.account
    recorders = account.ask("config", "describe_configuration_recorders")["ConfigurationRecorders"]
    statuses = account.ask("config", "describe_configuration_recorder_status")["ConfigurationRecordersStatus"]
    recording = {one["name"] for one in statuses if one.get("recording") is True}
    whole = [one["name"] for one in recorders if _records_everything(one) and one["name"] in recording]
    state = joined(
        sorted(f"{one['name']} {'records' if one['name'] in recording else 'is stopped'}" for one in recorders)
    )
    yield group.holds(
        "Config",
        bool(whole),
        f"{joined(sorted(whole))} records every type"
        if whole
        else f"no recorder records every type of resource: {state}",
        f"set config of {OFFER}, or have the organization enable it",
    )


def _records_everything(recorder: Mapping[str, Any]) -> bool:
    chosen = recorder.get("recordingGroup", {})
    strategy = chosen.get("recordingStrategy", {}).get("useOnly", "")
    return chosen.get("allSupported") is True or strategy == "ALL_SUPPORTED_RESOURCE_TYPES"


def analyzer(context: ReadyContext, group: Group) -> Iterator[Line]:
    """IAM Access Analyzer reports resources that other accounts can reach."""
    subject, fix = "Access Analyzer", f"set accessAnalyzer of {OFFER}"
    found = context.account.every("accessanalyzer", "list_analyzers", "analyzers")
    kinds = {"ACCOUNT", "ORGANIZATION"}
    active = sorted(one["name"] for one in found if one["status"] == "ACTIVE" and one["type"] in kinds)
    if active:
        yield group.ok(subject, f"{joined(active)} is active in {context.wanted.region}")
        return
    listed = [f"{one['name']} ({one['type']}, {one['status']})" for one in found]
    state = f"no analyzer of external access is active in {context.wanted.region}: {joined(sorted(listed))}"
    if _in_organization(context):
        yield group.cannot_tell(
            subject,
            f"{state}; the organization may have one in the account of its delegated administrator",
            f"ask the administrator of the organization for an analyzer of this region, or {fix}",
        )
    else:
        yield group.missing(subject, state, fix)


def _in_organization(context: ReadyContext) -> bool:
    absent = ("AWSOrganizationsNotInUseException",)
    return context.account.find("organizations", "describe_organization", absent) is not None


def buckets(context: ReadyContext, group: Group) -> Iterator[Line]:
    """No bucket of the account can be public, including buckets of other programs."""
    absent = ("NoSuchPublicAccessBlockConfiguration",)
    account = context.wanted.account
    answer = context.account.find("s3control", "get_public_access_block", absent, AccountId=account) or {}
    blocks = answer.get("PublicAccessBlockConfiguration", {})
    missing = [name for name in _BLOCKS if blocks.get(name) is not True]
    yield group.holds(
        "public buckets",
        not missing,
        f"not blocked for the account: {joined(missing)}" if missing else "blocked for the whole account",
        f"aws s3control put-public-access-block --account-id {account} --public-access-block-configuration "
        + ",".join(f"{name}=true" for name in _BLOCKS),
    )


def root_user(context: ReadyContext, group: Group) -> Iterator[Line]:
    """The root user has no access key, and a second factor unless it has no password."""
    summary = context.account.ask("iam", "get_account_summary")["SummaryMap"]
    keys, password = summary.get("AccountAccessKeysPresent", 0), summary.get("AccountPasswordPresent", 1)
    factor = summary.get("AccountMFAEnabled", 0)
    yield group.holds(
        "root user",
        not keys and bool(factor or not password),
        "has an access key" if keys else ("has no second factor" if password and not factor else "is protected"),
        "sign in as the root user, delete its access keys and register a second factor, or remove its credentials from the "
        "organization's management account (centralized root access)",
    )


PART = Part(
    "account baseline",
    (
        ("CloudTrail", trail),
        ("GuardDuty", guard_duty),
        ("Config", recorder),
        ("Access Analyzer", analyzer),
        ("public buckets", buckets),
        ("root user", root_user),
    ),
)
