"""Signatures of the record, ``releases/deployed.yaml``.

Without ``releases/keys/<environment>.yaml`` an environment's entries need no signature. With it, each entry must be signed by
the KMS key of the environment, which only the job that records deployments may use (``bootstrap/record_key.py``), and must
follow the entry before it. So an entry cannot be added, changed, moved or removed without that job.

A signature covers every field, among them ``previous``: a digest of all earlier entries of the environment in its current
account. Entries from before the key are pinned by number and digest in the key's file. Removing the newest entries is not
detected: the environment then counts as never having run those releases.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import yaml

from releases import record
from releases.record import Deployment, RecordError

KEYS = "releases/keys"
"""The folder of the public keys, in the project's folder: one file for each environment whose entries are signed."""
ALGORITHM = "ECDSA_SHA_256"
"""KMS's name of the signature: ECDSA on NIST P-256 with SHA-256, DER-encoded
(https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html)."""
_DOMAIN = b"ai-interface deployment record, version 1\n"
"""Begins each signed message, so that no signature of anything else can be used as one of an entry."""
_FIELDS = {"publicKey", "pinnedEntries", "pinnedDigest"}

Sign = Callable[[bytes], bytes]
"""Message → DER-encoded signature."""


def alias(environment: str) -> str:
    """The alias of the environment's KMS key."""
    return f"alias/ai-interface-record-{environment}"


@dataclass(frozen=True)
class Key:
    """The public key of an environment, and the entries from before it."""

    environment: str
    public_key: str
    """PEM."""
    pinned_entries: int = 0
    """The number of entries that are older than the key."""
    pinned_digest: str = ""
    """``chain`` of these entries; empty if there are none."""

    def as_text(self) -> str:
        """The file."""
        lines = [
            f"# Entries of {self.environment} in {record.FILE} must be signed by this key. Written by",
            f"# python -m preflight release key {self.environment} --write. Entries from before the key are pinned.",
            "publicKey: |",
            *(f"  {line}" for line in self.public_key.strip().splitlines()),
        ]
        if self.pinned_entries:
            lines += [f"pinnedEntries: {self.pinned_entries}", f'pinnedDigest: "{self.pinned_digest}"']
        return "\n".join(lines) + "\n"


def place(environment: str) -> str:
    """The path of an environment's public key, in the project's folder."""
    return f"{KEYS}/{environment}.yaml"


def key_of(root: Path, environment: str) -> Key | None:
    """The committed key; ``None`` if there is none.

    :raises RecordError: the file is not valid
    """
    path = root / place(environment)
    if not path.is_file():
        return None
    fix = f"restore {place(environment)} from git, or write it again: python -m preflight release key {environment} --write"
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{place(environment)} is not readable YAML ({' '.join(str(error).split())}): {fix}"
        ) from None
    given = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    entries, digest = given.get("pinnedEntries", 0), given.get("pinnedDigest", "")
    right = (
        set(given) <= _FIELDS
        and isinstance(given.get("publicKey"), str)
        and type(entries) is int
        and entries >= 0
        and isinstance(digest, str)
        and bool(digest) == bool(entries)
    )
    if not right:
        raise RecordError(
            f"{place(environment)} is not a mapping of publicKey and, with entries from before the key, pinnedEntries and "
            f"pinnedDigest: {fix}"
        )
    _loaded(given["publicKey"], place(environment), fix)
    return Key(environment, given["publicKey"], entries, digest)


def chain(entries: Sequence[Deployment]) -> str:
    """A digest of entries in their order, each with its signature."""
    found = hashlib.sha256(_DOMAIN).hexdigest()
    for entry in entries:
        found = hashlib.sha256(f"{found}\n{_canonical(entry)}".encode()).hexdigest()
    return f"sha256:{found}"


def message(entry: Deployment) -> bytes:
    """The message that the signature of an entry covers: every other field."""
    return _DOMAIN + _canonical(replace(entry, signature="")).encode()


def _canonical(entry: Deployment) -> str:
    return json.dumps(entry.fields(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def signed(entry: Deployment, earlier: Sequence[Deployment], sign: Sign) -> Deployment:
    """The entry with its signature, to follow the environment's ``earlier`` entries."""
    following = replace(entry, previous=chain(earlier), signature="")
    return replace(following, signature=base64.b64encode(sign(message(following))).decode())


def of(deployments: Sequence[Deployment], environment: str, account: str) -> list[tuple[int, Deployment]]:
    """The entries of an environment in its current account, with their positions in the file, from 1."""
    return [(n, d) for n, d in enumerate(deployments, start=1) if (d.environment, d.account) == (environment, account)]


def problem(root: Path, deployments: Sequence[Deployment], environment: str, account: str) -> str:
    """The first fault of an environment's entries; empty if all are signed, or if no key is committed.

    :raises RecordError: the key's file is not valid
    """
    key = key_of(root, environment)
    if key is None:
        return ""
    numbered = of(deployments, environment, account)
    entries = [entry for _, entry in numbered]
    if key.pinned_entries and chain(entries[: key.pinned_entries]) != key.pinned_digest:
        return (
            f"{record.FILE}: the first {key.pinned_entries} entries of {environment} are not those that {place(environment)} "
            "pins: one was changed, moved, added or removed"
        )
    for index in range(key.pinned_entries, len(entries)):
        number, entry = numbered[index]
        subject = f"{record.FILE}, entry {number} ({environment}, release {entry.release})"
        if not entry.signature:
            return f"{subject} has no signature, and {place(environment)} requires one"
        if not verifies(key, entry):
            return f"{subject} {_invalid(root, entry, environment)}"
        if entry.previous != chain(entries[:index]):
            return f"{subject} does not follow the entries before it: one was changed, moved, added or removed"
    return ""


def _invalid(root: Path, entry: Deployment, environment: str) -> str:
    folder = root / KEYS
    for other in sorted(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else ():
        key = key_of(root, other) if other != environment else None
        if key is not None and verifies(key, entry):
            return f"is signed with the key of {other}, not with that of {environment}"
    return f"has a signature that is not valid: it was changed after it was signed, or the key in {place(environment)} did not sign it"


def verifies(key: Key, entry: Deployment) -> bool:
    """Whether the entry's signature is one of the key over these fields."""
    try:
        signature = base64.b64decode(entry.signature, validate=True)
    except binascii.Error:
        return False
    public = _loaded(key.public_key, place(key.environment), "write it again")
    ec, hashes = _cryptography("hazmat.primitives.asymmetric.ec"), _cryptography("hazmat.primitives.hashes")
    try:
        public.verify(signature, message(entry), ec.ECDSA(hashes.SHA256()))
    except _cryptography("exceptions").InvalidSignature:
        return False
    return True


def _loaded(pem: str, where: str, fix: str) -> Any:  # noqa: ANN401 - cryptography is imported when a key is committed
    try:
        found = _cryptography("hazmat.primitives.serialization").load_pem_public_key(pem.encode())
    except ValueError:
        raise RecordError(f"publicKey in {where} is not a public key in PEM form: {fix}") from None
    ec = _cryptography("hazmat.primitives.asymmetric.ec")
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise RecordError(f"publicKey in {where} is not a key on the curve NIST P-256: {fix}")
    return found


def _cryptography(module: str) -> Any:  # noqa: ANN401
    try:
        return importlib.import_module(f"cryptography.{module}")
    except ImportError:
        raise RecordError(
            f"{KEYS} has public keys, and the package cryptography is not installed: run make setup, or pip install cryptography"
        ) from None


def ran(root: Path, environment: str, account: str) -> list[str]:
    """The releases of an environment in its current account, oldest first.

    :raises RecordError: the record or the key's file cannot be read, or an entry is not signed as the key requires
    """
    deployments = record.read(root)
    if found := problem(root, deployments, environment, account):
        raise RecordError(f"{found}: {record.FIX}")
    return record.ran(deployments, environment, account)
