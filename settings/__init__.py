"""Settings of one environment: see ``StackSettings``."""

from settings.errors import Problem, SettingsError
from settings.stack import StackSettings

__all__ = ["Problem", "SettingsError", "StackSettings"]
