"""How many files a browser reads when it opens Open WebUI for the first time, from the built frontend.

SvelteKit's start page names its first modules; the entry module names, for each route, the pages of its layout and what
each needs. Every module is then followed through its static imports. What a script requests later (a language, an icon,
a worker) is not among them, so the count is a lower bound and the preset adds room.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

_HOME = re.compile(r'"/\(app\)":\[(\d+),\[([\d,]*)\]')
_NODE = re.compile(r'import\("(\.\./nodes/(\d+)\.[^"]+)"\)(?:,__vite__mapDeps\(\[([\d,]*)\]\))?')
_NEEDED = re.compile(r"m\.f=(\[[^\]]*\])")
_IMPORT = re.compile(r'(?:\bfrom|\bimport)\s*"(\.{1,2}/[^"]+)"')
_NAMED = re.compile(r'(?:href|src)="(/[^"]+)"')
_SPLASH = ("/static/splash.png",)
"""One of two, by theme, that the page's own script asks for."""


def first_visit(package: Path) -> list[str]:
    """The paths that a browser asks for with an empty cache, after the page itself, sorted and distinct."""
    root = (package / "frontend").resolve()
    page = (root / "index.html").read_text(encoding="utf-8")
    named = [path for path in _NAMED.findall(page) if path != "/"]
    entry = root / next(path for path in named if "/entry/app." in path).lstrip("/")
    files = {(root / path.lstrip("/")).resolve() for path in (*named, *_SPLASH)}
    files |= _followed([*files, *_nodes(entry)])
    missing = sorted(str(file) for file in files if not file.is_file())
    if missing:
        raise ValueError(f"the frontend names files that it does not have: {missing[:3]}")
    return sorted(f"/{file.relative_to(root).as_posix()}" for file in files)


def _nodes(entry: Path) -> list[Path]:
    """The layout, the home page and everything that the entry module loads with them."""
    text = entry.read_text(encoding="utf-8")
    home, needed = _HOME.search(text), _NEEDED.search(text)
    if home is None or needed is None:
        raise ValueError(f"{entry.name} has no table of routes in the known form: adapt this reader to the new build")
    table: list[str] = json.loads(needed.group(1))
    wanted = {"0", home.group(1), *filter(None, home.group(2).split(","))}
    found: list[Path] = []
    for path, number, indexes in _NODE.findall(text):
        if number in wanted:
            found += [entry.parent / path, *(entry.parent / table[int(i)] for i in indexes.split(",") if i)]
    return [path.resolve() for path in found]


def _followed(files: Iterable[Path]) -> set[Path]:
    """The files and everything that they import statically."""
    seen: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        if file.suffix == ".js" and "_app" in file.parts:
            waiting += [(file.parent / path).resolve() for path in _IMPORT.findall(file.read_text(encoding="utf-8"))]
    return seen
