"""Records stacks of a project in a separate process, for a caller that compares them with another version of the project.

``python -m preflight.pulumi.recorded FOLDER STACK...`` writes the recordings to standard output in pickle's format, with the secret
values that the program uses: the caller compares them, and never shows them.
"""

from __future__ import annotations

import contextlib
import gc
import pickle
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import cast

from preflight.errors import PreflightError, ProgramError
from preflight.pulumi import children
from preflight.recording.recorder import Recording


@contextlib.contextmanager
def recording(folder: Path, stacks: Sequence[str]) -> Generator[Callable[[], dict[str, Recording]]]:
    """Records the stacks of the project in ``folder`` while the block runs, in a process that imports that project's modules only.
    The value waits for the recordings, by stack.

    :raises ProgramError: one cannot be run, with the reason; from the value
    """
    command = [sys.executable, "-m", "preflight.pulumi.recorded", str(folder), *stacks]
    with children.starting() as running:
        process = subprocess.Popen(  # noqa: S603 - this module
            command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        running.add(process.pid)

    def recordings() -> dict[str, Recording]:
        written, said = process.communicate()
        if process.returncode:
            raise ProgramError(f"the base could not be run\n{said.decode(errors='replace').strip()}")
        return cast("dict[str, Recording]", pickle.loads(written))  # noqa: S301 - from this module

    try:
        yield recordings
    finally:
        process.kill()  # without effect if it has ended
        process.communicate()
        children.gone(process.pid)


def main(arguments: Sequence[str]) -> int:
    """Write the recordings; 2 if the program cannot be run."""
    from preflight.pulumi.program import Run, collect, load, start  # noqa: PLC0415 - the SDKs, in the new process only
    from preflight.pulumi.project import Project  # noqa: PLC0415

    gc.disable()  # it ends soon, and the collector would take a quarter of the time to import the SDKs
    folder, *stacks = arguments
    try:
        project = Project.load(Path(folder))
        load(project)
        found = collect(start(project, [Run(project.stack(stack), preview=False) for stack in stacks]))
    except PreflightError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    by_stack = {stack: found[stack, False] for stack in stacks}
    sys.stdout.buffer.write(pickle.dumps(by_stack, protocol=pickle.HIGHEST_PROTOCOL))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
