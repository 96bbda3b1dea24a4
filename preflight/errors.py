"""Errors for a check that could not run. Each message includes the fix; none needs a traceback."""

from __future__ import annotations


class PreflightError(Exception):
    """The check could not run (exit code 2)."""


class AnalyzerError(PreflightError):
    """A policy pack could not be started or did not respond."""


class FakeError(PreflightError):
    """The program reads a computed value for which there is no faithful fake."""


class ConfigurationError(PreflightError):
    """``Pulumi.yaml`` or a stack file cannot be read, or its values do not have the declared types."""


class ProgramError(PreflightError):
    """The Pulumi program failed."""
