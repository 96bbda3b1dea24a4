"""The twin's certificate authorities: stand-ins for AWS's own, and for a private authority that the settings declare.

A stand-in has the same subject as the authority that it replaces, so a trust bundle without that authority does not
verify the twin's certificates either: see ``Authority.in_place_of``.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SUBJECT = "CN=ai-interface twin"
"""The subject of an authority that replaces no other."""
DAYS = 2.0
"""How long an authority and its certificates are valid."""
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate, its private key and the issuing authority's certificate, as PEM."""

    certificate: str
    key: str = field(repr=False)
    chain: str
    """The certificate of the issuing authority; empty for a self-signed one."""

    @property
    def full_chain(self) -> str:
        """The certificates that a server sends: its own, then its authority's."""
        return self.certificate + self.chain

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the full chain and the key to a folder, with the key readable by its owner only; return the files."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        certificate.write_text(self.full_chain, encoding="utf-8")
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        key.write_text(self.key, encoding="utf-8")
        return certificate, key

    def server_context(self, folder: Path) -> ssl.SSLContext:
        """Return a server's TLS context. The files stay in the folder, because OpenSSL reads certificates from files
        only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.write(folder))
        return context


@dataclass(frozen=True)
class Authority:
    """A certificate authority that is valid for two days."""

    certificate: str
    """The certificate that clients must trust, as PEM."""
    _issuer: x509.Certificate = field(repr=False)
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls, subject: x509.Name | str | None = None) -> Authority:
        """Create an authority. A subject given as text is a distinguished name (RFC 4514), ``CN=…,O=…``."""
        named = subject if isinstance(subject, x509.Name) else x509.Name.from_rfc4514_string(subject or SUBJECT)
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key()
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _dated(x509.CertificateBuilder())
            .subject_name(named)
            .issuer_name(named)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(_pem(certificate), certificate, key)

    @classmethod
    def in_place_of(cls, bundle: str, wanted: str = "") -> Authority:
        """Create an authority with the subject of the first certificate in a PEM bundle whose subject contains
        ``wanted``.

        Raises ``LookupError`` with the bundle's subjects if none matches: a client with this bundle could not verify
        the intended server.
        """
        subjects = [one.subject for one in x509.load_pem_x509_certificates(bundle.encode())]
        for one in subjects:
            if wanted in one.rfc4514_string():
                return cls.make(one)
        found = sorted(one.rfc4514_string() for one in subjects)
        raise LookupError(f"no certificate in the bundle has a subject that contains {wanted!r}: it has {found}")

    @property
    def subject(self) -> str:
        """The distinguished name (RFC 4514)."""
        return self._issuer.subject.rfc4514_string()

    def issue(self, *names: str, days: float = DAYS) -> Certificate:
        """Issue a server certificate for DNS names (``*.`` is allowed) and IP addresses; the first one is the common
        name."""
        key = ec.generate_private_key(ec.SECP256R1())
        # A common name has at most 64 characters (RFC 5280); clients read the alternative names only.
        common = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        certificate = (
            _dated(x509.CertificateBuilder(), days)
            .subject_name(common)
            .issuer_name(self._issuer.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Certificate(_pem(certificate), private.decode(), self.certificate)

    def write(self, folder: Path) -> Path:
        """Write the authority's certificate to a folder; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "authority.pem"
        file.write_text(self.certificate, encoding="utf-8")
        return file


def replaced(bundle: str, authorities: Iterable[Authority]) -> str:
    """Return a PEM bundle in which these authorities replace those with the same subject; all others stay.

    A bundle without such a subject is returned unchanged, and does not verify certificates of these authorities.
    """
    ours = {one.subject: one.certificate for one in authorities}
    parsed = x509.load_pem_x509_certificates(bundle.encode())
    texts = [ours.get(one.subject.rfc4514_string(), _pem(one)) for one in parsed]
    return "".join(dict.fromkeys(texts))


def _dated(builder: x509.CertificateBuilder, days: float = DAYS) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return builder.not_valid_before(now - CLOCK_SKEW).not_valid_after(now + timedelta(days=days))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
