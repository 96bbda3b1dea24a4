"""The synthetic chat: a scheduled task that asks the models what users would ask them, by the same way."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.synthetic.component import SyntheticChat, SyntheticChatArgs
    from components.synthetic.identity import SyntheticIdentity, SyntheticIdentityArgs, SyntheticServerArgs
    from components.synthetic.settings import SyntheticGroupArgs, SyntheticScheduleArgs

__all__ = [
    "SyntheticChat",
    "SyntheticChatArgs",
    "SyntheticGroupArgs",
    "SyntheticIdentity",
    "SyntheticIdentityArgs",
    "SyntheticScheduleArgs",
    "SyntheticServerArgs",
]

__getattr__ = loader(
    __name__,
    {
        "component": ("SyntheticChat", "SyntheticChatArgs"),
        "identity": ("SyntheticIdentity", "SyntheticIdentityArgs", "SyntheticServerArgs"),
        "settings": ("SyntheticGroupArgs", "SyntheticScheduleArgs"),
    },
)
