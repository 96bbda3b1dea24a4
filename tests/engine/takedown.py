"""Takes an environment down as in ``docs/runbook.md``, with the policy packs' entries from that page."""

from __future__ import annotations

import datetime as dt
import re
import textwrap

from tests.engine.echo.deletion import BUCKET
from tests.engine.harness import PACKS, REPOSITORY, Engine, Outcome, by_type, name_of, only

RUNBOOK = REPOSITORY / "docs" / "runbook.md"
DAYS = 14
UPLOADS = "state-uploads"


def allow_deletion(engine: Engine) -> Outcome:
    """Steps 1 and 2: settings, exception and declared difference, and the update that both packs accept."""
    engine.set("ai-interface:allowDeletion", "true")
    for file, entries in documented_entries(engine.stack).items():
        path = engine.project / file
        path.write_text(path.read_text() + entries)
    return engine.up(packs=PACKS)


def documented_entries(environment: str) -> dict[str, str]:
    """File → what the runbook adds to it."""
    section = RUNBOOK.read_text().partition("## Taking an environment down")[2].partition("\n## ")[0]
    values = {
        "<environment>": environment,
        "<team>": "platform engineering",
        "<day>": (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=DAYS)).isoformat(),
    }
    found: dict[str, str] = {}
    for block in re.findall(r"```yaml\n(.*?)\n *```", section, re.DOTALL):
        file, _, entries = textwrap.dedent(block).partition("\n")
        for placeholder, value in values.items():
            entries = entries.replace(placeholder, value)
        found[file.removeprefix("# ")] = f"{entries}\n"
    return found


def empty_uploads(engine: Engine) -> None:
    """Step 3, where the destroy stops."""
    engine.cloud.empty(uploads(engine))


def uploads(engine: Engine) -> str:
    """The bucket of uploaded files."""
    return only([r["id"] for r in by_type(engine.resources(), BUCKET) if name_of(r["urn"]) == UPLOADS])
