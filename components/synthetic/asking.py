"""The proxy of the synthetic chat: the interface's, reduced to what is asked."""

from dataclasses import replace

from components.proxy.settings import ProxySettings
from components.synthetic.settings import PROXY_MEBIBYTES

CHAT_OPERATION = "/chat/completions"


def asking(settings: ProxySettings) -> ProxySettings:
    """The settings with the first model of each group that answers chats, and without tools."""
    groups = [one for one in settings.model_groups if CHAT_OPERATION in one.operations]
    return replace(
        settings,
        model_groups=tuple(replace(one, models=one.models[:1], operations=(CHAT_OPERATION,)) for one in groups),
        tools=(),
        memory_bytes=PROXY_MEBIBYTES * 1024 * 1024,
        workers=1,
    )
