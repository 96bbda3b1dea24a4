"""Log in to the database by IAM from every SQLAlchemy engine, then run a program: ``python3 -m iam_login uvicorn``.

Open WebUI gives an IAM token to some of its engines only: before 0.11 the vector store's engine connected without a
password, and the database refused it. This module gives a token to every engine without a password, in the application
and in its first start by ``prepare``. It is delivered as a file; ``en_core_web_sm`` is the only other code of
this project in the application's process.

It also accepts only the instance that takes writes. For some seconds after a failover the cluster's name still has the
address of the previous writer, now a reader; a connection to it would stay in the pool, healthy to every ping, and
refuse each write until it is recycled.
"""

import runpy
import sys
from typing import Any

import boto3  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "do_connect")
def log_in(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
    """The token is signed here, without a call to AWS, with the task role's credentials; it is valid for 15 minutes."""
    if parameters.get("host"):
        parameters["target_session_attrs"] = "read-write"
    if parameters.get("host") and not parameters.get("password"):
        parameters["password"] = boto3.client("rds").generate_db_auth_token(  # pyright: ignore[reportUnknownMemberType]
            DBHostname=parameters["host"], Port=int(parameters.get("port") or 5432), DBUsername=parameters["user"]
        )


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
