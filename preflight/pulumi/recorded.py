"""Records one stack of a project in a separate process, for a caller that compares it with another version of the project.

``python -m preflight.pulumi.recorded FOLDER STACK`` writes the recording to standard output in pickle's format, with the secret values
that the program uses: the caller compares them, and never shows them.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from preflight.errors import PreflightError, ProgramError
from preflight.recording.recorder import Recording


def recorded(folder: Path, stack: str) -> Recording:
    """The stack of the project in ``folder``, from a process that imports that project's modules only.

    :raises ProgramError: it cannot be run, with the reason
    """
    done = subprocess.run(  # noqa: S603 - this module
        [sys.executable, "-m", "preflight.pulumi.recorded", str(folder), stack],
        cwd=Path(__file__).parents[2], capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ProgramError(f"the base could not be run\n{done.stderr.decode(errors='replace').strip()}")
    found = pickle.loads(done.stdout)  # noqa: S301 - from this module
    if not isinstance(found, Recording):
        raise ProgramError(f"the base could not be run: no recording of {stack}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Write the recording; 2 if the program cannot be run."""
    from preflight.pulumi.program import Run, collect, load, start  # noqa: PLC0415 - the SDKs, in the new process only
    from preflight.pulumi.project import Project  # noqa: PLC0415

    folder, stack = arguments
    try:
        project = Project.load(Path(folder))
        load(project)
        recording = collect(start(project, [Run(project.stack(stack), preview=False)]))[stack, False]
    except PreflightError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.buffer.write(pickle.dumps(recording, protocol=pickle.HIGHEST_PROTOCOL))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
