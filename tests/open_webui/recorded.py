"""The facts of each supported version, as committed: numbers and route names, no code of the application."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.open_webui.frontend import first_visit
from tests.open_webui.routes import Route, routes

FOLDER = Path(__file__).parent / "facts"
_DERIVED = (
    "python -m tests.open_webui VERSION FOLDER: files by following the static imports of frontend/index.html and of the "
    "route /(app); routes by reading main.py and routers/ (path, method, kind of body)"
)


@dataclass(frozen=True)
class Facts:
    """What one version asks of a firewall."""

    version: str
    first_visit: dict[str, int]
    """First part of the path → number of files that a first visit reads below it; files at the root by their name."""
    routes: tuple[Route, ...]

    @property
    def files(self) -> int:
        """Files of a first visit."""
        return sum(self.first_visit.values())


def facts_file(version: str) -> Path:
    """Where a version's facts are kept."""
    return FOLDER / f"{version}.json"


def recorded_versions() -> list[str]:
    """The versions whose facts are committed, oldest first."""
    return sorted((file.stem for file in FOLDER.glob("*.json")), key=lambda v: [int(part) for part in v.split(".")])


def recorded_facts(version: str) -> Facts:
    """A version's committed facts."""
    content = json.loads(facts_file(version).read_text(encoding="utf-8"))
    listed = tuple(Route(path, method, body) for path, method, body in (line.split(" ") for line in content["routes"]))
    return Facts(content["version"], content["firstVisit"], listed)


def made_from(version: str, package: Path) -> str:
    """The facts file of a package, as text."""
    counts: dict[str, int] = {}
    for path in first_visit(package):
        first, separator, _ = path.lstrip("/").partition("/")
        place = f"/{first}{separator}"
        counts[place] = counts.get(place, 0) + 1
    listed = [f"{route.path} {route.method} {route.body}" for route in routes(package)]
    content = {"derived": _DERIVED, "firstVisit": counts, "routes": listed, "version": version}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
