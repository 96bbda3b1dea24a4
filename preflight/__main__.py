"""The command line of the offline engine: ``python -m preflight --help``."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from preflight.commands import console, parser
from preflight.pulumi import children

_OWN = ("assembly", "bootstrap", "components", "local", "policies", "preflight", "releases", "settings")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    signal.signal(signal.SIGTERM, children.end)
    gc.disable()  # short-lived, and the collector would take a quarter of the time to import the SDKs
    try:
        return run(options)
    except KeyboardInterrupt:
        console.say("stopped")
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OWN:
            raise
        console.say(
            f"could not run\n\nthe package {error.name} is not installed in this Python ({sys.prefix}).\n"
            "fix: in a checkout of this repository, run make setup and write .venv/bin/python -m preflight; elsewhere, install it"
        )
        return 2
    except OSError as error:
        console.say(f"could not run\n\n{error.filename or 'a file'}: {error.strerror or error}")
        return 2
    except Exception as error:
        from preflight.errors import PreflightError  # noqa: PLC0415 - --help and mistakes answer at once

        if isinstance(error, PreflightError):
            console.say(f"could not run\n\n{error}")
        else:
            # A fault of this program. Its trace helps to fix it; status 1 would be read as findings.
            traceback.print_exc()
            console.say("could not run: this is a bug in preflight, please report it with the lines above")
        return 2


def run() -> None:
    """The wheel's command ``preflight``."""
    code = main()
    gc.freeze()  # the interpreter looks for garbage once more at its end, which takes longer than a message about a mistake
    sys.exit(code)


def _forget_working_directory() -> None:
    """With ``python -m``, modules of the working directory come first: ``policies`` of another project would be imported as ours."""
    here = Path(__file__).resolve().parents[1]
    first = Path(sys.path[0] or ".").resolve()
    if first != here and first == Path.cwd():
        del sys.path[0]


if __name__ == "__main__":
    _forget_working_directory()
    run()
