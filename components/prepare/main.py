"""Run before the application, as root with only the CHOWN capability, then exit.

The plan is JSON in PREPARE_PLAN::

    {"owner": [uid, gid], "directories": ["/data"], "seeds": {"/static": "/app/static"},
     "files": {"/srv/trust/ca.pem": "..."}, "database": {...}}

Files come first, because one of them is the database's certificate. Volumes come last, because root without DAC_OVERRIDE
cannot enter a directory once another user owns it. Exit code 0: the application may start. Any other: it must not.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from components.prepare.report import PrepareError, report
from components.prepare.volumes import hand_over, write


def main() -> int:
    """Execute the plan and return the exit code."""
    try:
        environment = dict(os.environ)
        plan = read_plan(environment.pop("PREPARE_PLAN", ""))
        for path, text in sorted(plan["files"].items()):
            write(Path(path), text)
        if plan["database"]:
            # Imported here, because an image for a plan without a database need not have psycopg.
            from components.prepare.database import prepare_database  # noqa: PLC0415

            prepare_database(environment, plan["database"])
        for directory in plan["directories"]:
            hand_over(Path(directory), plan["seeds"].get(directory), plan["owner"])
    except (PrepareError, OSError, ImportError) as problem:
        report("failed", reason=str(problem))
        return 1
    report("ready", directories=len(plan["directories"]))
    return 0


def read_plan(text: str) -> dict[str, Any]:
    """The plan; every path in it is checked to be plain and absolute."""
    try:
        plan = json.loads(text)
        uid, gid = plan["owner"]
        directories = sorted(plan["directories"])
        seeds = dict(plan.get("seeds", {}))
        files = dict(plan.get("files", {}))
        database = dict(plan.get("database") or {})
    except (ValueError, KeyError, TypeError) as problem:
        raise PrepareError("PREPARE_PLAN is not a plan: " + repr(problem)) from problem
    if not (isinstance(uid, int) and isinstance(gid, int)):
        raise PrepareError("PREPARE_PLAN owner must be two numbers")
    for path in [*directories, *seeds, *seeds.values(), *files]:
        if not isinstance(path, str) or not path.startswith("/") or os.path.normpath(path) != path or path == "/":
            raise PrepareError("PREPARE_PLAN names " + repr(path) + ", which is not a plain absolute path")
    if stray := sorted(set(seeds) - set(directories)):
        raise PrepareError("PREPARE_PLAN seeds directories that it does not prepare: " + ", ".join(stray))
    return {
        "owner": (uid, gid),
        "directories": directories,
        "seeds": seeds,
        "files": files,
        "database": database,
    }
