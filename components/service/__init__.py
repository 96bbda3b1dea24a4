"""The ECS service that runs the application behind its proxy, and the identity of its tasks."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.service.component import InterfaceService, InterfaceServiceArgs
    from components.service.task_identity import WorkloadIdentity, WorkloadIdentityArgs

__all__ = [
    "InterfaceService",
    "InterfaceServiceArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
]

__getattr__ = loader(
    __name__,
    {
        "component": (
            "InterfaceService",
            "InterfaceServiceArgs",
        ),
        "task_identity": (
            "WorkloadIdentity",
            "WorkloadIdentityArgs",
        ),
    },
)
