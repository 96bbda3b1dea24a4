"""What outlives a task: the database, the cache, the uploaded files and their backups."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.data.args import StateArgs, StateCacheArgs, StateDatabaseArgs, StateUploadsArgs
    from components.data.component import State
    from components.data.uploads import UploadsAccess, UploadsAccessArgs

__all__ = [
    "State",
    "StateArgs",
    "StateCacheArgs",
    "StateDatabaseArgs",
    "StateUploadsArgs",
    "UploadsAccess",
    "UploadsAccessArgs",
]

__getattr__ = loader(
    __name__,
    {
        "args": (
            "StateArgs",
            "StateCacheArgs",
            "StateDatabaseArgs",
            "StateUploadsArgs",
        ),
        "component": ("State",),
        "uploads": (
            "UploadsAccess",
            "UploadsAccessArgs",
        ),
    },
)
