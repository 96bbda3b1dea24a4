"""A program that writes a word by every means that Open WebUI and its libraries use: run as a module.

Each way has a separate word, ``canary-<way>``, which is what a person wrote. Its log is set up as Open WebUI's: the records
of ``logging`` go to loguru.
"""

import asyncio
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress

import psycopg
import sqlalchemy as sa
from loguru import logger
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError

log = logging.getLogger("talkative")


class Intercept(logging.Handler):
    """Open WebUI's handler: a record's text and exception go to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand it over."""
        logger.log(record.levelname, record.getMessage(), record.exc_info[1] if record.exc_info else None)


class Drive:
    """A driver's error with the values of the row, as PostgreSQL writes them into DETAIL."""

    def __init__(self, word: str) -> None:
        self.error = psycopg.errors.UniqueViolation(
            f"duplicate key value\nDETAIL:  Key (email)=({word}) already exists."
        )


def _fail(word: str) -> None:
    raise ValueError(word)


def _look_up(found: dict[int, str], title: str) -> str:
    return found[len(title)]


def _statement(word: str) -> None:
    with sa.create_engine("sqlite://").connect() as database:
        database.execute(sa.text("INSERT INTO chat (title) VALUES (:title)"), {"title": word})


def failing_database(word: str) -> None:
    """As most routers do."""
    try:
        _statement(word)
    except OperationalError as problem:
        log.exception(problem)  # noqa: TRY401 - as the application does


def failing_database_in_a_text(word: str) -> None:
    """As others do."""
    try:
        _statement(word)
    except OperationalError as problem:
        log.warning(f"Insert failed: {problem}")  # as the application does


def refused_row(word: str) -> None:
    """The driver's error within SQLAlchemy's."""
    engine = sa.create_engine("sqlite://")

    def refuse(*_: object) -> None:
        raise Drive(word).error

    event.listen(engine, "before_cursor_execute", refuse)
    try:
        with engine.connect() as database:
            database.execute(sa.text("SELECT 1"))
    except (DBAPIError, psycopg.Error) as problem:
        log.exception("Error creating a user", exc_info=problem)


def broken_upload(word: str) -> None:
    """A file's name in the arguments."""
    log.error("Error processing file: %s (%d bytes)", f"{word}.pdf", 17)


def unreadable_file(word: str) -> None:
    """A file's name in the exception of the operating system."""
    try:
        open(f"/nowhere/{word}.docx").close()  # noqa: PTH123 - as the loaders do
    except OSError:
        log.exception("Error reading a file")


def failing_model(word: str) -> None:
    """An answer that repeats the prompt."""
    try:
        _fail("upstream said: " + word)
    except ValueError as problem:
        log.error(f"Error: {problem}")  # noqa: TRY400 - as the application does


def values_of_variables(word: str) -> None:
    """What loguru's diagnose adds."""
    try:
        _look_up({}, word)
    except KeyError as problem:
        logger.log("ERROR", "Failed", problem)


def loguru_itself(word: str) -> None:
    """Code that uses loguru without logging."""
    logger.log("ERROR", f"Failed to log {word}")


def printed(word: str) -> None:
    """As in models/knowledge.py."""
    print("search failed:", word)  # noqa: T201


def printed_traceback(word: str) -> None:
    """Of an exception with a value."""
    try:
        _fail(word)
    except ValueError:
        traceback.print_exc()


def formatted_traceback(word: str) -> None:
    """As Starlette sends it to uvicorn if the start fails."""
    try:
        _fail(word)
    except ValueError:
        log.error(traceback.format_exc())  # noqa: TRY400 - as uvicorn does


def warned(word: str) -> None:
    """As pydantic does with an unexpected value."""
    warnings.warn(f"unexpected value: {word}", stacklevel=1)


def lost_in_a_thread(word: str) -> None:
    """Nothing catches it."""

    def run() -> None:
        raise ValueError(word)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def lost_in_a_task(word: str) -> None:
    """asyncio writes the task, which has its exception as text."""

    async def fail() -> None:
        raise ValueError(word)

    async def start() -> None:
        task = asyncio.create_task(fail())
        while not task.done():
            await asyncio.sleep(0)

    asyncio.run(start())


def lost_when_deleted(word: str) -> None:
    """An exception that cannot be raised."""

    class Late:
        def __del__(self) -> None:
            raise ValueError(word)

    Late()


def uncaught(word: str) -> None:
    """The last one: the program ends."""
    raise ValueError(word)


WAYS: tuple[Callable[[str], None], ...] = (
    failing_database, failing_database_in_a_text, refused_row, broken_upload, unreadable_file, failing_model,
    values_of_variables, loguru_itself, printed, printed_traceback, formatted_traceback, warned, lost_in_a_thread,
    lost_in_a_task, lost_when_deleted, uncaught,
)  # fmt: skip
"""Every way; ``uncaught`` is the last."""


def main() -> None:
    """Write in every way."""
    logging.basicConfig(handlers=[Intercept()], level="WARNING", force=True)
    for way in WAYS[:-1]:
        with suppress(SystemExit):
            way(f"canary-{way.__name__}")
    sys.stdout.flush()
    WAYS[-1](f"canary-{WAYS[-1].__name__}")


if __name__ == "__main__":
    main()
