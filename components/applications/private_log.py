"""Keep users' data out of the log, then run a program: ``python3 -m private_log uvicorn``.

Open WebUI puts texts into its messages: a statement's parameters (titles, contents, e-mail addresses), the names of files that it
could not read, and what a model's server answered, which may repeat the prompt. No pattern finds all of them. So a line contains
only what is written in the program's code: the message up to the first value (``…`` stands for the rest), numbers that are
inserted by ``logging``, and the location. Of an exception it contains the types, the locations, SQLSTATE with the names of
table, column and constraint, the operating system's text of an error number, HTTP status and AWS's error code. The text of an
exception is kept as far as the function that raised it has it as a constant, and completely if a module cannot be imported or
a connection to the database is refused.

This applies to ``logging``, loguru, ``print``, warnings, and exceptions that nothing catches. Direct writes to the file descriptors,
as by a library in C, pass. ``hide_parameters`` also keeps a statement's values out of the answers to users.
"""

import builtins
import logging
import os
import re
import runpy
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any, cast

from sqlalchemy.engine import Engine

FRAMES = 8
"""How many locations of an exception in the application's own code are written, besides the last three of all."""
LIBRARY = str(Path(logging.__file__).parents[1])


class Known(str):
    """A text without values."""

    __slots__ = ()


def constant(message: object, code: CodeType) -> str:
    """The beginning of a message that is a constant of this code."""
    if isinstance(message, (Known, BaseException)):
        return message if isinstance(message, str) else described(message)
    text = str(message)
    found = [one for one in code.co_consts if isinstance(one, str)]
    found += [re.split("[%{]", one)[0] for one in found]
    best = max((one for one in found if text.startswith(one)), key=len, default="")
    return best if best == text else best + "…"


def own(file: str) -> bool:
    """Whether a file is the application's: in no library, or a part of Open WebUI, which may be installed as one."""
    return "/open_webui/" in file or not (file.startswith((LIBRARY, "<")) or "/site-packages/" in file)


def described(problem: BaseException | None) -> Known:
    """The text of an exception and its causes without values."""
    lines: list[str] = []
    while problem and len(lines) < 4 * FRAMES:
        places = list(traceback.walk_tb(problem.__traceback__))
        diag, answer = getattr(problem, "diag", None), getattr(problem, "response", None)
        code = getattr(problem, "sqlstate", None) or getattr(problem, "pgcode", None)
        facts = [code, *(getattr(diag, f"{one}_name", None) for one in ("table", "column", "constraint"))]
        facts += [getattr(problem, one, None) for one in ("status", "status_code", "operation_name")]
        facts += [os.strerror(problem.errno)] if isinstance(problem, OSError) and problem.errno else []
        facts += [cast("Any", answer).get("Error", {}).get("Code")] if isinstance(answer, dict) else []
        refused = type(problem).__name__ == "OperationalError" and diag and not code
        if refused or isinstance(problem, ImportError):
            facts.append(str(problem).strip())
        elif places:
            facts.append(constant(str(problem), places[-1][0].f_code))
        said = ", ".join(str(one) for one in facts if one and isinstance(one, (str, int)))
        lines.append(f"{type(problem).__name__} ({said})")
        named = [(one.f_code.co_filename, number, one.f_code.co_name) for one, number in places]
        for file, number, name in [*[one for one in named[:-3] if own(one[0])][-FRAMES:], *named[-3:]]:
            lines.append(f"  {file.split('site-packages/')[-1]}:{number} {name}")
        inner = getattr(problem, "exceptions", None)
        problem = problem.__cause__ or problem.__context__ or (inner[0] if inner else None)
    return Known("\n".join(lines))


def caller(*skipped: str) -> Any:  # noqa: ANN401 - a frame
    """The frame that logs: the first one in none of these packages."""
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage] - there is no other way to the caller's constants
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in skipped:
        frame = frame.f_back
    return frame


_make, _print = logging.getLogRecordFactory(), builtins.print


def _record(*given: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging calls it
    made = _make(*given, **named)
    text = constant(made.msg, caller("logging").f_code)
    if isinstance(made.args, tuple):
        with suppress(TypeError, ValueError):
            text %= tuple(one if isinstance(one, (int, float)) else "…" for one in made.args)
    if made.exc_info and made.exc_info[1] is not made.msg:
        text += "\n" + described(made.exc_info[1])
    made.msg, made.args, made.exc_info = Known(text), (), None
    return made


def _loguru(record: Any) -> None:  # noqa: ANN401 - loguru's record
    frame = caller("loguru")
    # Open WebUI hands over the records of ``logging``, which are made above.
    if not (frame.f_back and frame.f_back.f_globals.get("__name__") == "logging"):
        record["message"] = constant(record["message"], frame.f_code)
        if record["exception"]:
            record["message"] += "\n" + described(record["exception"].value)
            record["exception"] = None


def _printed(*values: object, file: Any = None, **named: Any) -> None:  # noqa: ANN401 - as print is called
    if file in (None, sys.stdout, sys.stderr):
        values = (constant(named.get("sep", " ").join(map(str, values)), caller().f_code),)
    _print(*values, file=file, **named)


def _uncaught(problem: BaseException | None) -> None:
    sys.stderr.write(described(problem) + "\n")


def _warned(_: object, kind: type[Warning], file: str, line: int, *__: object) -> None:
    sys.stderr.write(f"{kind.__name__} {file}:{line}\n")


def _formatted(*_: object, **__: object) -> Known:
    return described(sys.exc_info()[1])


def _shown(*_: object, **__: object) -> None:
    _uncaught(sys.exc_info()[1])


def install() -> None:
    """Replace what writes."""
    logging.setLogRecordFactory(_record)
    # As an attribute of the class, because create_engine reads from __init__ which arguments there are.
    setattr(Engine, "hide_parameters", property(lambda _: True, lambda _, __: None))  # noqa: B010
    builtins.print = _printed
    traceback.format_exc, traceback.print_exception = _formatted, _shown
    warnings.showwarning = _warned
    sys.excepthook = lambda _, problem, __: _uncaught(problem)
    sys.unraisablehook = threading.excepthook = lambda one: _uncaught(one.exc_value)
    with suppress(ImportError):
        import_module("loguru").logger.configure(patcher=_loguru)


if __name__ == "__main__":
    install()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
