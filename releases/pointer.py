"""The release in a stack file. Only its line is changed; everything else is preserved, including comments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from releases.refusal import Refusal

KEY = "ai-interface:release"
_LINE = re.compile(
    rf"""^(\s+["']?{re.escape(KEY)}["']?:[ \t]+)(["']?)([^\s"'#]+)(["']?)([ \t]*(?:#.*)?)$""", re.MULTILINE
)


def release_of(path: Path) -> str:
    """The release in the stack file."""
    found = _config(path.read_text(encoding="utf-8"), path).get(KEY)
    if not isinstance(found, str):
        raise Refusal(f"{path.name} has no release", f"set {KEY} to the version of a manifest in releases/")
    return found


def with_release(path: Path, version: str) -> str:
    """The file's text with another release."""
    text = path.read_text(encoding="utf-8")
    changed, count = _LINE.subn(lambda m: m[1] + m[2] + version + m[4] + m[5], text)
    wanted = {**_config(text, path), KEY: version}
    if count != 1 or _config(changed, path) != wanted:
        raise Refusal(
            f"{path.name} does not have {KEY} on a separate line",
            f"write it as one line below config, for example:   {KEY}: {version}",
        )
    return changed


def _config(text: str, path: Path) -> dict[str, Any]:
    try:
        content: Any = yaml.safe_load(text)
        return dict(content["config"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise Refusal(
            f"{path.name} is not a readable stack file", "fix the file; make check reports the details"
        ) from None
