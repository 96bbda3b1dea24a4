"""The example releases in ``releases/``: what a new team puts in place of the example's names. Releases of a team stay."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REVIEWER = re.compile(r'(?m)(?<!^builtBy: )"@example/[A-Za-z0-9-]+"')
"""An example's reviewer. Who built a release cannot review it, so that name stays."""
_LIST = re.compile(r'\[("@[^\]]*)\]')


def is_one(release: str) -> bool:
    """Whether a file of ``releases/`` names an example's reviewer, so that no team has reviewed it yet."""
    return _REVIEWER.search(release) is not None


def reviewed(text: str, reviewers: str) -> str:
    """The file with a team's reviewers in place of the example's."""

    def listed(match: re.Match[str]) -> str:
        names = dict.fromkeys(one.strip() for one in match[1].split(","))
        return f"[{', '.join(names)}]"

    return _LIST.sub(listed, _REVIEWER.sub(f'"{reviewers}"', text)) if is_one(text) else text


def with_profiles(files: Mapping[str, str], profiles: Mapping[str, str]) -> dict[str, str]:
    """The example releases and their approved models, with the inference profiles of another region: the earlier id → the new one."""
    changed: dict[str, str] = {}
    for name, text in files.items():
        if not name.startswith("releases/") or not is_one(text):
            continue
        made = text
        for old, new in profiles.items():
            made = re.sub(rf"(?<![A-Za-z0-9.:-]){re.escape(old)}(?![A-Za-z0-9.:-])", new, made)
        if made != text:
            changed[name] = made
    return changed
