"""A twin's authority verifies what it issued, and only for the names in the certificate; a wrong bundle verifies nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing
from pathlib import Path

import pytest

from components.data.certificates import DATABASE_AUTHORITY
from local.authority import Authority, Certificate, replaced

BUNDLE = (Path(__file__).parents[2] / "components/data/certificates" / f"{DATABASE_AUTHORITY}.pem").read_text("utf-8")


def handshake(certificate: Certificate, bundle: str, name: str, folder: Path) -> str:
    """The subject of the certificate that a client with this bundle accepted for the name."""
    server, client = socket.socketpair()
    context = certificate.server_context(folder)

    def serve() -> None:
        try:
            with context.wrap_socket(server, server_side=True) as spoken:
                spoken.recv(1)
        except OSError:
            server.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with (
            closing(client),
            ssl.create_default_context(cadata=bundle).wrap_socket(client, server_hostname=name) as tls,
        ):
            peer = tls.getpeercert()
            tls.send(b".")
        assert peer is not None
        return str(peer["subject"])
    finally:
        thread.join(5)
        assert not thread.is_alive()


def test_a_client_that_trusts_the_authority_accepts_its_certificate_for_every_name(tmp_path: Path) -> None:
    authority = Authority.make()
    certificate = authority.issue("db.example.com", "*.cache.example.com", "10.30.0.5")
    for name in ("db.example.com", "one.cache.example.com", "10.30.0.5"):
        assert "db.example.com" in handshake(certificate, authority.certificate, name, tmp_path)


def test_a_name_that_is_not_in_the_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority.make()
    with pytest.raises(ssl.SSLCertVerificationError, match=r"other\.example\.com"):
        handshake(authority.issue("db.example.com"), authority.certificate, "other.example.com", tmp_path)


def test_the_real_bundle_with_the_replaced_authority_verifies_and_the_real_one_alone_does_not(tmp_path: Path) -> None:
    authority = Authority.in_place_of(BUNDLE, "eu-west-1")
    certificate = authority.issue("db.example.com")
    twin = replaced(BUNDLE, [authority])
    assert twin.count("BEGIN CERTIFICATE") == BUNDLE.count("BEGIN CERTIFICATE")
    handshake(certificate, twin, "db.example.com", tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificate, replaced(BUNDLE, []), "db.example.com", tmp_path)


def test_a_bundle_without_the_authority_is_named_with_what_it_has_and_stays_without_it(tmp_path: Path) -> None:
    with pytest.raises(
        LookupError, match=r"no certificate in the bundle has a subject that contains 'mars-north-1'.*RDS"
    ):
        Authority.in_place_of(BUNDLE, "mars-north-1")
    stranger = Authority.make("CN=Another authority,O=Example")
    assert replaced(BUNDLE, [stranger]).count("BEGIN CERTIFICATE") == BUNDLE.count("BEGIN CERTIFICATE")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(stranger.issue("db.example.com"), replaced(BUNDLE, [stranger]), "db.example.com", tmp_path)


def test_the_key_is_readable_by_its_owner_alone_and_never_in_a_representation(tmp_path: Path) -> None:
    certificate = Authority.make().issue("db.example.com")
    _, key = certificate.write(tmp_path)
    assert key.stat().st_mode & 0o077 == 0
    assert "PRIVATE KEY" not in repr(certificate)
