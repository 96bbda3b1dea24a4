"""Keys and certificates that a provider computes: the recording contains placeholder texts, the twin contains real
ones.

Everything except the key itself comes from the graph: algorithm, curve, subject, names, uses and validity.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.authority import CLOCK_SKEW
from local.stack import Resource, Stack

PRIVATE_KEY, SELF_SIGNED = "tls:index/privateKey:PrivateKey", "tls:index/selfSignedCert:SelfSignedCert"
REQUEST, LOCALLY_SIGNED = "tls:index/certRequest:CertRequest", "tls:index/locallySignedCert:LocallySignedCert"
_CURVES: dict[str, type[ec.EllipticCurve]] = {"P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1}
_SUBJECT = {
    "commonName": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "country": NameOID.COUNTRY_NAME,
}
_EXTENDED_USES = {"server_auth": ExtendedKeyUsageOID.SERVER_AUTH, "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH}
_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "cert_signing",
    "crl_signing", "encipher_only", "decipher_only",
)  # fmt: skip
"""The provider's names for the uses, in the order of RFC 5280's bits."""
_PEM = serialization.Encoding.PEM
_FORMATS = {
    "privateKeyPem": serialization.PrivateFormat.TraditionalOpenSSL,
    "privateKeyPemPkcs8": serialization.PrivateFormat.PKCS8,
}
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def replacements(stack: Stack) -> dict[str, str]:
    """Placeholder text in the recording → the real key or certificate, each key with the certificate that belongs to
    it."""
    found: dict[str, str] = {}
    keys: dict[str, Key] = {}
    for one in stack.all(PRIVATE_KEY):
        key = _key(one)
        keys[str(one["privateKeyPem"])] = key
        for name, form in _FORMATS.items():
            found[str(one[name])] = key.private_bytes(_PEM, form, serialization.NoEncryption()).decode()
    for one in stack.all(SELF_SIGNED):
        key = keys[str(one["privateKeyPem"])]
        found[str(one["certPem"])] = _certificate(one, one, key, (key, _name(one)))
    authorities = {str(one["certPem"]): one for one in stack.all(SELF_SIGNED)}
    requests = {str(one["certRequestPem"]): one for one in stack.all(REQUEST)}
    for one in stack.all(LOCALLY_SIGNED):
        request = requests[str(one["certRequestPem"])]
        issuer = (keys[str(one["caPrivateKeyPem"])], _name(authorities[str(one["caCertPem"])]))
        found[str(one["certPem"])] = _certificate(one, request, keys[str(request["privateKeyPem"])], issuer)
    return found


def with_real(text: str, replaced: Mapping[str, str]) -> str:
    """Return a text in which the real keys and certificates are in the place of those of the recording, as they are and
    inside JSON."""
    for before, after in replaced.items():
        text = text.replace(before, after).replace(json.dumps(before)[1:-1], json.dumps(after)[1:-1])
    return text


def _key(resource: Resource) -> Key:
    if resource["algorithm"] == "RSA":
        return rsa.generate_private_key(65537, int(resource.get("rsaBits") or 2048))
    return ec.generate_private_key(_CURVES[str(resource.get("ecdsaCurve") or "P224")]())


def _name(subject_of: Resource) -> x509.Name:
    subject = cast("dict[str, Any]", subject_of.get("subject") or {})
    return x509.Name([x509.NameAttribute(_SUBJECT[part], str(value)) for part, value in subject.items()])


def _certificate(resource: Resource, asked: Resource, key: Key, issuer: tuple[Key, x509.Name]) -> str:
    """``asked`` has the subject and the names: the certificate itself, or the request that was signed."""
    uses = {str(one) for one in resource["allowedUses"]}
    start = datetime.now(UTC) - CLOCK_SKEW
    names = [x509.DNSName(one) for one in cast("list[str]", asked.get("dnsNames") or [])]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(asked))
        .issuer_name(issuer[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(hours=float(resource["validityPeriodHours"])))
        .add_extension(x509.BasicConstraints(bool(resource.get("isCaCertificate")), None), critical=True)
        .add_extension(x509.KeyUsage(*(one in uses for one in _USES)), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if extended := [oid for one, oid in _EXTENDED_USES.items() if one in uses]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    return builder.sign(issuer[0], hashes.SHA256()).public_bytes(_PEM).decode()
