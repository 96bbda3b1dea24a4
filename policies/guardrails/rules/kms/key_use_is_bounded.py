"""Grants to use a key are limited to a service or an encryption context; grants to tag a key are limited to certain
tags.

A role with an unlimited right to decrypt can read all data encrypted with the key, not only its own. A role that may
set any tag can give itself access wherever policies depend on tags. Both kinds of grants are checked in identity
policies, and in key policies where they name a role or a user.

An application that calls KMS directly needs such a grant, so this is advisory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import undecided
from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.statements import grants

_TAGGING = {"kms:TagResource": ("aws:requesttag/", "aws:tagkeys"), "kms:UntagResource": ("aws:tagkeys",)}
_DATA = ("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom")
_KEYS = ("kms.Key", "kms.KeyPolicy")
_WANTED = "a condition on kms:ViaService or kms:EncryptionContext"
_FIX = "add kms:ViaService, or the encryption context, to the statement's conditions"
_BOUNDS = ("kms:encryptioncontext", "kms:grantisforawsresource", "kms:viaservice")


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one identity policy, or one key policy."""
    of = document_at(resource, "policy")
    yield from undecided(resource, "policy", of, _WANTED, _FIX)
    for item in grants(of):
        place = f"policy[{item.label}].Condition"
        by_key = resource.kind in _KEYS
        if by_key and not any(re.search(r":(role|user)/", who) for who in item.principals):
            continue
        uses = any(map(item.covers, _DATA)) if by_key else any(a.lower().startswith("kms:") for a in item.actions)
        if uses and not any(key.startswith(_BOUNDS) for key in item.keys):
            yield violated(resource, place, "no such condition", _WANTED, _FIX)
        for action, bounds in _TAGGING.items() if by_key else ():
            if item.covers(action) and not any(key.startswith(bounds) for key in item.keys):
                wanted = f"a condition on the tags of {action}"
                fix = "add aws:RequestTag/<key> or aws:TagKeys to the statement's conditions"
                yield violated(resource, place, "no such condition", wanted, fix, what="may change any tag of the key")
                break


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    types=("iam.GroupPolicy", "iam.Policy", "iam.RolePolicy", "iam.UserPolicy", *_KEYS),
    level=Level.ADVISORY,
)
