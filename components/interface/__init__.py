"""The whole interface as one component."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.interface.args import (
        AIInterfaceArgs,
        InterfaceImagesArgs,
        InterfaceRetentionArgs,
        InterfaceSizeArgs,
    )
    from components.interface.component import AIInterface
    from components.interface.options import (
        InterfaceEdgeArgs,
        InterfaceGatewayArgs,
        InterfaceMachineClientsArgs,
        InterfaceObjectivesArgs,
        InterfacePathsArgs,
        InterfacePromptRecordsArgs,
        InterfaceTimeoutsArgs,
    )

__all__ = [
    "AIInterface",
    "AIInterfaceArgs",
    "InterfaceEdgeArgs",
    "InterfaceGatewayArgs",
    "InterfaceImagesArgs",
    "InterfaceMachineClientsArgs",
    "InterfaceObjectivesArgs",
    "InterfacePathsArgs",
    "InterfacePromptRecordsArgs",
    "InterfaceRetentionArgs",
    "InterfaceSizeArgs",
    "InterfaceTimeoutsArgs",
]

__getattr__ = loader(
    __name__,
    {
        "args": ("AIInterfaceArgs", "InterfaceImagesArgs", "InterfaceRetentionArgs", "InterfaceSizeArgs"),
        "component": ("AIInterface",),
        "options": (
            "InterfaceEdgeArgs",
            "InterfaceGatewayArgs",
            "InterfaceMachineClientsArgs",
            "InterfaceObjectivesArgs",
            "InterfacePathsArgs",
            "InterfacePromptRecordsArgs",
            "InterfaceTimeoutsArgs",
        ),
    },
)
