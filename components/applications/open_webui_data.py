"""What Open WebUI needs where its state is shared: database, vector store, uploads, and a channel between tasks.

Read from the source of 0.10.2 and 0.11.3, and seen to work in ``make test-database``:

- ``DATABASE_ENABLE_IAM_TOKEN_AUTH`` gives every connection to the tables an IAM token. 0.11.3 gives one to the vector
  store's engine as well; 0.10.2 does not, and that engine cannot log in: see :mod:`components.applications.iam_login`.
- Host, port, name and user come from ``DATABASE_*``, which have no place for TLS. libpq's own variables say it: all
  three engines use libpq. Where ``DATABASE_*`` are set, ``DATABASE_URL`` is not read.
- ``ENABLE_DB_MIGRATIONS=false`` keeps Alembic from running. The vector store still makes its table and indexes when
  it is imported, and checks its index by a statement that takes ownership: its table lies in the role's own schema.
- It opens three pools of connections, each up to 15 where nothing is said: two to the tables, for code that waits and
  code that does not (``DATABASE_POOL_*`` sizes both), and one of the vector store (``PGVECTOR_POOL_*``). So in 0.12.4.
- 0.10.2 logs a failed migration and goes on; so the migrations are never its own to run.
"""

from pathlib import Path

from components.applications.application import ApplicationArgs, DatabaseArgs
from components.common.secrets import SESSION_KEY
from components.data.certificates import database_authority
from components.prepare import without_comments

_FILES = "/srv/trust"
TRUST = f"{_FILES}/database.pem"
"""The authority of the database's certificate, where both containers find it."""
LOGIN = f"{_FILES}/iam_login.py"
"""The module that gives an IAM token to every engine."""

LEAST_CONNECTIONS = 10
"""Two for the vector store and four for each of the other pools."""
POOLS = {"DATABASE_POOL": 2, "PGVECTOR_POOL": 1}
"""Prefix of the variables that size a pool → how many pools have this size: an engine for code that waits and one for
code that does not, and the vector store's (``open_webui/internal/db.py``, ``open_webui/retrieval/vector/dbs/pgvector.py``
and ``open_webui/env.py`` of 0.10.2, 0.11.3 and 0.12.4)."""
POOL_WAIT_SECONDS = 10
"""How long a request waits for a connection before it fails; an error is easier to diagnose than a request that hangs.
"""
POOL_RECYCLE_SECONDS = 1800
"""Older connections are reopened with a new login, so a role that lost its permission is disconnected by then."""

DATABASE = {
    "DATABASE_HOST": "database-host",
    "DATABASE_NAME": "database-name",
    "DATABASE_PORT": "database-port",
    "DATABASE_USER": "database-user",
}
"""The variables of the application's database connection."""


def with_shared_data(application: ApplicationArgs, region: str, authority: str, connections: int) -> ApplicationArgs:
    """The application with a database, a cache and a bucket in ``region``; ``authority`` empty means RDS's there.

    ``connections``: how many it may open to the database, 10 or more.
    """
    if not region:
        raise ValueError("shared_data needs the region of the database and the bucket")
    database = _database(region)
    login = without_comments(Path(__file__).with_name("iam_login.py").read_text("utf-8"))
    if application.command[:2] != ["python3", "-m"]:
        raise ValueError(f"the command must run a module, to log in by IAM: {' '.join(application.command)}")
    return application.model_copy(
        update={
            "command": ["python3", "-m", "iam_login", *application.command[2:]],
            "environment": {
                **application.environment,
                **database,
                **_uploads_and_channel(region),
                **pools(connections),
                "PYTHONPATH": _FILES,
            },
            "value_environment": {**DATABASE, "S3_BUCKET_NAME": "bucket-name"},
            "secret_environment": {**application.secret_environment, "REDIS_URL": "cache-url"},
            "prepare_environment": {
                **database,
                "ANONYMIZED_TELEMETRY": "false",
                "GLOBAL_LOG_LEVEL": "WARNING",
                "OFFLINE_MODE": "true",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            "prepare_value_environment": DATABASE,
            "prepare_secret_environment": {
                "DATABASE_MASTER_PASSWORD": "database-master-password",
                "DATABASE_MASTER_USER": "database-master-user",
                # Migrations that touch encrypted columns need the application's key, and it does not load without.
                "WEBUI_SECRET_KEY": SESSION_KEY,
            },
            "files": {TRUST: authority or database_authority(region), LOGIN: login},
            "database": DatabaseArgs(
                extensions=["vector"],
                paths=["/app/backend", _FILES],
                configuration="/app/backend/open_webui/alembic.ini",
                scripts="/app/backend/open_webui/migrations",
                scratch_variables=["DATA_DIR", "STATIC_DIR"],
                warm_up=["iam_login", "open_webui.retrieval.vector.factory"],
            ),
        }
    )


def _database(region: str) -> dict[str, str]:
    return {
        # boto3 signs tokens for this region, and reads it from nothing else.
        "AWS_DEFAULT_REGION": region,
        "DATABASE_ENABLE_IAM_TOKEN_AUTH": "true",
        "DATABASE_TYPE": "postgresql",
        "ENABLE_DB_MIGRATIONS": "false",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": TRUST,
        "PGVECTOR_CREATE_EXTENSION": "false",
        "VECTOR_DB": "pgvector",
    }


def pools(connections: int) -> dict[str, str]:
    """Sizes of the three pools that together open at most so many connections; half of each stays open when idle.

    A fifth is the vector store's. Raises ``ValueError`` below 10, where a pool would be too small to work with.
    """
    if connections < LEAST_CONNECTIONS:
        raise ValueError(
            f"database_connections is {connections}: the application's three pools need {LEAST_CONNECTIONS} or more"
        )
    vectors = connections // 5
    tables = (connections - vectors) // 2
    return {
        **_pool("DATABASE_POOL", tables),
        **_pool("PGVECTOR_POOL", vectors),
    }


def _pool(prefix: str, most: int) -> dict[str, str]:
    return {
        f"{prefix}_SIZE": str(most - most // 2),
        f"{prefix}_MAX_OVERFLOW": str(most // 2),
        f"{prefix}_TIMEOUT": str(POOL_WAIT_SECONDS),
        f"{prefix}_RECYCLE": str(POOL_RECYCLE_SECONDS),
    }


def _uploads_and_channel(region: str) -> dict[str, str]:
    return {
        # In us-east-1 boto3 asks for S3's global name otherwise, which has no address inside the network.
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "REDIS_HEALTH_CHECK_INTERVAL": "30",
        "REDIS_SOCKET_CONNECT_TIMEOUT": "5",
        "REDIS_SOCKET_KEEPALIVE": "true",
        "S3_REGION_NAME": region,
        "STORAGE_PROVIDER": "s3",
        # It uses REDIS_URL unless another address is set.
        "WEBSOCKET_MANAGER": "redis",
    }
