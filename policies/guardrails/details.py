"""The fields of a report, and how a diagnostic transports them along with its text.

A diagnostic of the Analyzer protocol contains one human-readable text. A program that starts a pack and needs the
fields of a report (verdict, found and wanted values, the exception that allows it) reads them from the diagnostic's
protobuf field ``FIELD``: a JSON object whose keys are the fields of ``Details``, and ``members`` with each report of a
diagnostic that stands for several. The protocol does not define this
field, so the engine ignores it, as protobuf requires of a reader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from .evaluation import Report

FIELD = 51_116
"""A field number between 50000 and 99999, which protobuf reserves for use within organizations (protobuf.dev, custom
options)."""
_MEMBERS = "members"
"""The key of the reports in the attached object."""
_LENGTH_DELIMITED = 2
"""Protobuf's wire type of a text."""


@dataclass(frozen=True, slots=True)
class Details:
    """One report of one policy."""

    verdict: str
    """``violated`` or ``not proven``."""
    headline: str
    """The violation, starting with resource and property."""
    resource: str = ""
    """Type and name, or the entry of a file of declarations."""
    property: str = ""
    found: str = ""
    wanted: str = ""
    fix: str = ""
    witness: str = ""
    unknown: str = ""
    assuming: str = ""
    line: int = 0
    """The line in a file of declarations that the report concerns; 0 if it concerns a resource."""
    excepted_until: str = ""
    """The first day on which the exception is no longer valid, as ``2027-05-01``; empty if none applies."""
    excepted_because: str = ""
    excepted_by: str = ""
    """The owner of the exception."""


_FIELDS = tuple(each.name for each in fields_of(Details))


@dataclass(frozen=True, slots=True)
class Member:
    """One report of a diagnostic that stands for several reports of one cause."""

    urn: str
    message: str
    details: Details


def details_of(report: Report) -> Details:
    """A report's parts."""
    finding, exemption = report.finding, report.exemption
    return Details(
        verdict=str(finding.verdict),
        headline=finding.headline,
        resource=finding.resource,
        property=finding.property,
        line=finding.line,
        **finding.parts(),
        excepted_until=exemption.expires.isoformat() if exemption else "",
        excepted_because=exemption.reason if exemption else "",
        excepted_by=exemption.owner if exemption else "",
    )


def member_of(report: Report) -> Member:
    """One report among several of one cause."""
    return Member(report.finding.urn, report.message, details_of(report))


def attach(diagnostic: Any, details: Details, members: Sequence[Member] = ()) -> None:  # noqa: ANN401 - a protobuf message
    """Add the details to a diagnostic, and the reports for which it stands if there are several."""
    fields: dict[str, Any] = _set(details)
    if len(members) > 1:
        fields[_MEMBERS] = [
            {"urn": member.urn, "message": member.message, "details": _set(member.details)} for member in members
        ]
    text = json.dumps(fields, sort_keys=True).encode()
    diagnostic.MergeFromString(_varint(FIELD << 3 | _LENGTH_DELIMITED) + _varint(len(text)) + text)


def attached(diagnostic: Any) -> Details | None:  # noqa: ANN401 - a protobuf message
    """The details of a diagnostic; ``None`` if its pack attaches none."""
    fields = _fields(diagnostic)
    return None if fields is None else Details(**{key: value for key, value in fields.items() if key != _MEMBERS})


def members_in(diagnostic: Any) -> list[Member]:  # noqa: ANN401 - a protobuf message
    """The reports for which a diagnostic stands, if there are several."""
    found = (_fields(diagnostic) or {}).get(_MEMBERS, ())
    return [Member(item["urn"], item["message"], Details(**item["details"])) for item in found]


def _fields(diagnostic: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a protobuf message
    for unknown in UnknownFieldSet(diagnostic):
        if unknown.field_number == FIELD:
            return json.loads(unknown.data)
    return None


def _set(details: Details) -> dict[str, Any]:
    return {key: value for key in _FIELDS if (value := getattr(details, key))}


def _varint(number: int) -> bytes:
    """A number as protobuf writes it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
