"""A throw-away certificate and key for loopback, made by the ``openssl`` command."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate, which is also its own authority, and its key: PEM."""

    certificate: str
    key: str = field(repr=False)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both into a folder, the key readable by the owner alone; return the files."""
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        certificate.write_text(self.certificate, encoding="utf-8")
        key.touch(mode=0o600)
        key.write_text(self.key, encoding="utf-8")
        return certificate, key


def self_signed(*host_names: str) -> Certificate:
    """Return a certificate for these names, valid for two days."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise RuntimeError("the openssl command is needed to make a certificate for loopback: install openssl")
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        names = ",".join(f"DNS:{name}" for name in host_names)
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=ai-interface", "-addext", f"subjectAltName={names}"]
        command += ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed command, names of ours
        return Certificate(certificate=certificate.read_text(encoding="utf-8"), key=key.read_text(encoding="utf-8"))
