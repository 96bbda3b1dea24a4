"""The packages with AWS's published data, which ``preflight check`` does not need."""

import importlib.util
from collections.abc import Mapping

from preflight.errors import PreflightError

PACKAGES: Mapping[str, str] = {
    "boto3": "boto3",
    "botocore": "boto3",
    "cfnlint": "cfn-lint",
    "policy_sentry": "policy-sentry",
    "regex": "regex",
}
"""Module → the package that has it."""
EXTRA = "conform"
"""The extra of ``pyproject.toml`` that lists them."""


def install(names: str) -> str:
    """How to get packages that are missing, as one line."""
    return (
        f"{names} not installed, and AWS's published data is read from there: install ai-interface with the extra [{EXTRA}] (pip "
        f'install "ai-interface[{EXTRA}] @ git+https://…"), or run make setup in a checkout of this repository'
    )


def require() -> None:
    """Raise ``PreflightError`` with every package that is missing."""
    missing = sorted({package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None})
    if missing:
        raise PreflightError(install(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'}"))
