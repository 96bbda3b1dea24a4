"""The data that outlives a task: the database, the cache, the uploaded files and their backups."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.data.args import DataArgs, DataCacheArgs, DataDatabaseArgs, DataUploadsArgs
    from components.data.component import Data
    from components.data.uploads import UploadsAccess, UploadsAccessArgs

__all__ = [
    "Data",
    "DataArgs",
    "DataCacheArgs",
    "DataDatabaseArgs",
    "DataUploadsArgs",
    "UploadsAccess",
    "UploadsAccessArgs",
]

__getattr__ = loader(
    __name__,
    {
        "args": (
            "DataArgs",
            "DataCacheArgs",
            "DataDatabaseArgs",
            "DataUploadsArgs",
        ),
        "component": ("Data",),
        "uploads": (
            "UploadsAccess",
            "UploadsAccessArgs",
        ),
    },
)
