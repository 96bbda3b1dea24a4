"""Warns about offered models of which nothing says whether their upstream serves them."""

import pulumi

from settings import StackSettings
from settings.stack import PREFIX


def warn_about_unknown_models(settings: StackSettings) -> None:
    """Log one warning for each model. ``pulumi preview`` shows it, and so does ``preflight``."""
    for sentence in settings.models.unknown:
        pulumi.log.warn(f"{PREFIX}{sentence}")
