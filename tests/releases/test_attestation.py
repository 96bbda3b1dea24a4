"""The signatures of the record: every kind of false entry has a separate message."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from releases.attestation import KEYS, Key, Sign, chain, key_of, of, place, problem, ran, signed, verifies
from releases.environments import account_of
from releases.record import FILE, Deployment, RecordError, read

ROOT = Path(__file__).resolve().parents[2]
Entries = list[Deployment]


class Signer:
    """A key pair, as KMS has it."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())

    @property
    def sign(self) -> Sign:
        return lambda message: self._private.sign(message, ec.ECDSA(hashes.SHA256()))

    @property
    def pem(self) -> str:
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


STAGING, PROD, STRANGER = Signer(), Signer(), Signer()
ACCOUNTS = {name: account_of(ROOT, name) for name in ("staging", "prod")}


def entry(environment: str, release: str, day: int) -> Deployment:
    return Deployment(
        environment, release, f"2026-11-{day:02}T09:00:00Z", ACCOUNTS[environment], approved_by="@one, @two"
    )


def history() -> Entries:
    """Signed entries of both environments, mixed as deployments are."""
    made: Entries = []
    signers = {"staging": STAGING, "prod": PROD}
    for day, (name, release) in enumerate(
        [("staging", "2026.10.1"), ("prod", "2026.10.1"), ("staging", "2026.11.1"), ("staging", "2026.12.1")], start=1
    ):
        made.append(signed(entry(name, release, day), [d for d in made if d.environment == name], signers[name].sign))
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / KEYS).mkdir(parents=True)
    for name, signer in (("staging", STAGING), ("prod", PROD)):
        (tmp_path / place(name)).write_text(Key(name, signer.pem).as_text(), encoding="utf-8")
        shutil.copy(ROOT / f"Pulumi.{name}.yaml", tmp_path)
    write(tmp_path, history())
    return tmp_path


def write(root: Path, entries: Sequence[Deployment]) -> None:
    (root / FILE).write_text("deployments:\n" + "".join(one.as_text() for one in entries), encoding="utf-8")


def found(root: Path, environment: str = "staging") -> str:
    return problem(root, read(root), environment, ACCOUNTS[environment])


def test_a_signed_record_is_what_was_written(project: Path) -> None:
    assert read(project) == history_of(project)
    assert (found(project), found(project, "prod")) == ("", "")
    assert ran(project, "staging", ACCOUNTS["staging"]) == ["2026.10.1", "2026.11.1", "2026.12.1"]


def history_of(project: Path) -> Entries:
    return [one for _, one in sorted((n, d) for name in ACCOUNTS for n, d in of(read(project), name, ACCOUNTS[name]))]


def change(index: int, **values: str) -> Callable[[Entries], Entries]:
    return lambda entries: [replace(one, **values) if n == index else one for n, one in enumerate(entries)]


def test_without_a_key_nothing_has_to_be_signed(project: Path) -> None:
    shutil.rmtree(project / KEYS)
    write(project, [entry("staging", "2026.11.1", 1)])
    assert (found(project), ran(project, "staging", ACCOUNTS["staging"])) == ("", ["2026.11.1"])


FORGED = signed(entry("staging", "2026.12.2", 9), [d for d in history() if d.environment == "staging"], STRANGER.sign)
OF_PROD = signed(entry("staging", "2026.12.2", 9), [d for d in history() if d.environment == "staging"], PROD.sign)
FALSE: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "missing signature": (
        lambda e: [*e, entry("staging", "2026.12.2", 9)],
        "entry 5 (staging, release 2026.12.2) has no sig",
    ),
    "removed signature": (change(2, signature=""), "entry 3 (staging, release 2026.11.1) has no signature"),
    "forged": (lambda e: [*e, FORGED], "entry 5 (staging, release 2026.12.2) has a signature that is not valid"),
    "key of prod": (lambda e: [*e, OF_PROD], "is signed with the key of prod, not with that of staging"),
    "altered release": (
        change(3, release="2026.12.9"),
        "entry 4 (staging, release 2026.12.9) has a signature that is not",
    ),
    "altered time": (change(0, at="2026-11-02T09:00:00Z"), "entry 1 (staging, release 2026.10.1) has a signature"),
    "altered approver": (change(3, approved_by="@three"), "entry 4 (staging, release 2026.12.1) has a signature"),
    "removed approver": (change(3, approved_by=""), "entry 4 (staging, release 2026.12.1) has a signature"),
    "altered commit": (change(3, commit="0" * 40), "entry 4 (staging, release 2026.12.1) has a signature"),
    "altered previous": (change(3, previous=chain([])), "entry 4 (staging, release 2026.12.1) has a signature"),
    "not a signature": (change(3, signature="A" * 96), "entry 4 (staging, release 2026.12.1) has a signature"),
    "reordered": (lambda e: [e[0], e[1], e[3], e[2]], "entry 3 (staging, release 2026.12.1) does not follow"),
    "removed": (
        lambda e: [e[0], e[1], e[3]],
        "entry 3 (staging, release 2026.12.1) does not follow the entries before it",
    ),
    "removed first": (lambda e: e[1:], "entry 2 (staging, release 2026.11.1) does not follow"),
    "repeated": (lambda e: [*e, e[2]], "entry 5 (staging, release 2026.11.1) does not follow"),
    "moved to prod": (change(2, environment="prod", account=ACCOUNTS["prod"]), "entry 4 (staging"),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_entry_is_named_and_ends_the_record(project: Path, name: str) -> None:
    make, words = FALSE[name]
    write(project, make(history()))
    assert words in found(project)
    with pytest.raises(RecordError, match="restore the file from git"):
        ran(project, "staging", ACCOUNTS["staging"])


def test_an_entry_of_staging_in_the_name_of_prod_is_named(project: Path) -> None:
    write(project, change(2, environment="prod", account=ACCOUNTS["prod"])(history()))
    assert "entry 3 (prod, release 2026.11.1) has a signature that is not valid" in found(project, "prod")


def test_every_field_of_an_entry_is_signed(project: Path) -> None:
    other = {
        "environment": "prod",
        "release": "2026.1.1",
        "at": "2020-01-01T00:00:00Z",
        "account": "999999999999",
        "commit": "1" * 40,
        "run": "https://example.com",
        "approvedBy": "@mallory",
        "previous": "sha256:" + "1" * 64,
    }
    last = history()[3]
    assert set(other) | {"signature"} == set(replace(last, commit="0" * 40, run="https://x").fields())
    for name, value in other.items():
        changed = replace(last, **{"approved_by" if name == "approvedBy" else name: value})
        key = key_of(project, "staging")
        assert key is not None

        assert verifies(key, last)
        assert not verifies(key, changed), name


def test_entries_of_another_account_neither_count_nor_break_the_order(project: Path) -> None:
    write(project, [replace(entry("staging", "2026.9.1", 1), account="999999999999"), *history()])
    assert found(project) == ""


@pytest.fixture
def older(project: Path) -> Path:
    """Two entries from before the key."""
    before = [entry("staging", "2026.10.1", 1), entry("staging", "2026.11.1", 2)]
    key = Key("staging", STAGING.pem, len(before), chain(before))
    (project / place("staging")).write_text(key.as_text(), encoding="utf-8")
    write(project, [*before, signed(entry("staging", "2026.12.1", 3), before, STAGING.sign)])
    return project


def test_entries_from_before_the_key_are_pinned(older: Path) -> None:
    assert found(older) == ""
    entries = read(older)
    for wrong in (entries[1:], [entries[1], entries[0], entries[2]], change(0, release="2026.9.1")(entries)):
        write(older, wrong)
        assert "the first 2 entries of staging are not those that releases/keys/staging.yaml pins" in found(older)
    write(older, [entry("staging", "2026.9.1", 1), *entries])
    assert "are not those that" in found(older)


def test_the_newest_entries_can_be_removed_and_then_do_not_count(project: Path) -> None:
    write(project, history()[:3])
    assert ran(project, "staging", ACCOUNTS["staging"]) == ["2026.10.1", "2026.11.1"]


def rsa_key() -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("publicKey: [", "is not readable YAML"),
        ("- x", "is not a mapping of publicKey"),
        ("publicKey: x\nother: 1", "is not a mapping of publicKey"),
        (f"{Key('staging', STAGING.pem).as_text()}pinnedEntries: 1", "is not a mapping of publicKey"),
        (
            f"{Key('staging', STAGING.pem).as_text()}pinnedEntries: true\npinnedDigest: x",
            "is not a mapping of publicKey",
        ),
        ("publicKey: x", "is not a public key in PEM form"),
        (Key("staging", rsa_key()).as_text(), "is not a key on the curve NIST P-256"),
    ],
)
def test_a_key_file_that_is_not_valid_is_never_the_same_as_none(project: Path, text: str, words: str) -> None:
    (project / place("staging")).write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match=words) as caught:
        found(project)
    assert "--write" in str(caught.value)


def test_the_committed_record_is_as_its_keys_require() -> None:
    for name, account in ACCOUNTS.items():
        assert problem(ROOT, read(ROOT), name, account) == ""
