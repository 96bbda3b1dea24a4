"""Make the task's empty volumes ready for an application that does not run as root, then exit.

Fargate mounts volumes that only root can write. This runs first, as root with the CHOWN capability and no other:
without DAC_OVERRIDE root cannot enter a directory once it is handed over, so contents come first, the mode second
and the owner last, from the leaves up.

The plan is JSON in PREPARE_PLAN: {"owner": [uid, gid], "directories": ["/data"], "seeds": {"/static": "/app/static"}}.
Exit code 0: everything is ready; the application may start. Anything else: it must not.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any


class PlanError(Exception):
    """The plan cannot be carried out as it is written."""


def main() -> int:
    """Carry out the plan; the result is the exit code."""
    try:
        plan = read_plan(os.environ.get("PREPARE_PLAN", ""))
        for directory in plan["directories"]:
            prepare(Path(directory), plan["seeds"].get(directory), plan["owner"])
    except (PlanError, OSError) as problem:
        report("failed", reason=str(problem))
        return 1
    report("ready", directories=len(plan["directories"]))
    return 0


def read_plan(text: str) -> dict[str, Any]:
    """The plan, with every path known to be plain and absolute."""
    try:
        plan = json.loads(text)
        uid, gid = plan["owner"]
        directories = sorted(plan["directories"])
        seeds = dict(plan.get("seeds", {}))
    except (ValueError, KeyError, TypeError) as problem:
        raise PlanError("PREPARE_PLAN is not a plan: " + repr(problem)) from problem
    if not (isinstance(uid, int) and isinstance(gid, int)):
        raise PlanError("PREPARE_PLAN owner must be two numbers")
    for path in [*directories, *seeds, *seeds.values()]:
        if not isinstance(path, str) or not path.startswith("/") or os.path.normpath(path) != path or path == "/":
            raise PlanError("PREPARE_PLAN names " + repr(path) + ", which is not a plain absolute path")
    if stray := sorted(set(seeds) - set(directories)):
        raise PlanError("PREPARE_PLAN seeds directories that it does not prepare: " + ", ".join(stray))
    return {"owner": (uid, gid), "directories": directories, "seeds": seeds}


def prepare(directory: Path, seed: "str | None", owner: "tuple[int, int]") -> None:
    """Fill one directory and hand it over; a directory that is ready already is left alone."""
    directory.mkdir(parents=True, exist_ok=True)
    state = directory.lstat()
    if (state.st_uid, state.st_gid, state.st_mode & 0o7777) == (*owner, 0o700):
        report("kept", directory=str(directory))
        return
    if seed is not None:
        shutil.copytree(seed, directory, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for folder, folders, files in os.walk(directory, topdown=False):
        for name in files:
            hand_over(Path(folder, name), 0o600, owner)
        for name in folders:
            hand_over(Path(folder, name), 0o700, owner)
    hand_over(directory, 0o700, owner)
    report("prepared", directory=str(directory), seeded=seed is not None)


def hand_over(path: Path, mode: int, owner: "tuple[int, int]") -> None:
    """Set the mode, then the owner. A symbolic link is handed over itself and never followed."""
    if not path.is_symlink():
        path.chmod(mode)
    os.chown(path, *owner, follow_symlinks=False)


def report(event: str, **details: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """One line of JSON for the container's log."""
    sys.stdout.write(json.dumps({"event": event, **details}, sort_keys=True) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
