"""Warns about offered models that their upstream is not documented to serve."""

import pulumi

from settings import StackSettings
from settings.stack import PREFIX


def warn_about_unknown_models(settings: StackSettings) -> None:
    """Log one warning for each model. ``pulumi preview`` shows it, and so does ``preflight``."""
    for sentence in settings.models.unknown:
        pulumi.log.warn(f"{PREFIX}{sentence}")
