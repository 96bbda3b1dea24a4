"""The marks ``# yours`` in the stack files: each is removed when its value has been answered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from preflight.setup.questions import OTHER, provider_of

_KEY = re.compile(r"^(?P<indent> *)(?P<item>- )?(?P<key>[A-Za-z][A-Za-z0-9:-]*):(?= |$)")
_MARK = re.compile(r" *# yours(?:: (?P<rest>.*))?$")
_HEADER = re.compile(r' Change every value marked "yours"(?:; the others work as they are)?\.')
_IDENTITY = re.compile(
    r"^(?P<key> *ai-interface:identity:) # (?:the endpoints are in the issuer's /\.well-known/openid-configuration"
    r"|docs/identity/[a-z-]+\.md)$",
    re.MULTILINE,
)


def without(text: str, answered: Collection[str]) -> str:
    """The file without the marks of answered values. ``answered`` holds their full keys, such as ``ai-interface:owner.team``; the
    explanation after a mark stays. Without a mark the header has no sentence about them."""
    found = "\n".join(_lines(text.split("\n"), answered))
    return found if re.search("# yours", found) else _HEADER.sub("", found)


def _lines(lines: list[str], answered: Collection[str]) -> Iterator[str]:
    place: list[tuple[int, str]] = []
    for line in lines:
        if match := _KEY.match(line):
            depth = len(match["indent"]) + len(match["item"] or "")
            place = [one for one in place if one[0] < depth]
            place.append((depth, match["key"]))
        mark = _MARK.search(line)
        path = ".".join(key for _, key in place if key != "config")
        if mark and any(_overlap(path, re.sub(r"\.\d+(?=\.|$)", "", one)) for one in answered):
            yield line[: mark.start()] + (f" # {mark['rest']}" if mark["rest"] else "")
        else:
            yield line


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def with_identity_page(text: str, provider: str) -> str:
    """The comment of the section ``identity`` names the page of the identity provider, or the source of the endpoints."""
    chosen = provider_of(provider) if provider != OTHER else None
    about = (
        f"docs/identity/{chosen.page}"
        if chosen
        else "the endpoints are in the issuer's /.well-known/openid-configuration"
    )
    return _IDENTITY.sub(rf"\g<key> # {about}", text)
