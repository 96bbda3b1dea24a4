"""The configuration of Open WebUI for shared state: database, vector store, uploads, and messages between tasks.

Derived from the source of 0.11.4 and 0.12.4, and tested by ``make test-database``:

- ``DATABASE_ENABLE_IAM_TOKEN_AUTH`` gives every connection to the tables and to the vector store an IAM token.
- Host, port, name and user come from ``DATABASE_*``, which have no TLS options. TLS is configured through libpq's own
  variables, because all three engines use libpq. If ``DATABASE_*`` are set, ``DATABASE_URL`` is not read.
- ``ENABLE_DB_MIGRATIONS=false`` prevents Alembic from running. The vector store still creates its table and indexes
  when it is imported, and checks its index with a statement that requires ownership, so its table is in the role's own
  schema.
- It opens three connection pools, each with up to 15 connections by default: two to the tables, for synchronous and
  asynchronous code (``DATABASE_POOL_*`` sizes both), and one of the vector store (``PGVECTOR_POOL_*``).
"""

from pathlib import Path

from components.applications.application import ApplicationArgs, DatabaseArgs
from components.common.secrets import SESSION_KEY
from components.data.certificates import database_authority
from components.prepare import without_comments

COPIES = ("/srv/data/uploads", "/srv/data/cache/audio")
"""Where the application leaves files that it does not read again: each upload that it has copied to the bucket, each file that it
downloads from there (every read fetches it again: ``open_webui/storage/provider.py``), recordings to transcribe and spoken
answers (``open_webui/routers/audio.py``). ``STORAGE_LOCAL_CACHE=false`` would remove only an upload that was indexed, and while
another request may be about to open it."""
FILES = "/srv/trust"
"""The folder of the files that ``prepare`` writes; Python imports modules from it."""
TRUST = f"{FILES}/database.pem"
"""The path of the database CA certificate in both containers."""
LOGIN = f"{FILES}/iam_login.py"
"""The path of the module that provides an IAM token to every engine."""

LEAST_CONNECTIONS = 10
"""Two for the vector store and four for each of the other pools."""
POOLS = {"DATABASE_POOL": 2, "PGVECTOR_POOL": 1}
"""Prefix of the variables that size a pool → the number of pools with this size: a synchronous and an asynchronous
engine, and the vector store's (``open_webui/internal/db.py``, ``open_webui/retrieval/vector/dbs/pgvector.py`` and
``open_webui/env.py`` of 0.11.4 and 0.12.4)."""
POOL_WAIT_SECONDS = 10
"""How long a request waits for a connection before it fails; an error is easier to diagnose than a request that hangs.
"""
POOL_RECYCLE_SECONDS = 1800
"""The maximum age of a connection. Older connections are reopened with a new login, so a role that lost its permission
is disconnected."""

DATABASE = {
    "DATABASE_HOST": "database-host",
    "DATABASE_NAME": "database-name",
    "DATABASE_PORT": "database-port",
    "DATABASE_USER": "database-user",
}
"""The variables of the application's database connection."""


def with_shared_data(application: ApplicationArgs, region: str, authority: str, connections: int) -> ApplicationArgs:
    """The application with a database, a cache and a bucket in ``region``. If ``authority`` is empty, the RDS CA of the
    region is used.

    ``connections``: the maximum number of database connections, 10 or more.
    """
    if not region:
        raise ValueError("shared_data needs the region of the database and the bucket")
    database = _database(region)
    login = without_comments(Path(__file__).with_name("iam_login.py").read_text("utf-8"))
    if application.command[:2] != ["python3", "-m"]:
        raise ValueError(
            f"the command must run a Python module (python3 -m …), which the IAM login requires: {' '.join(application.command)}"
        )
    return application.model_copy(
        update={
            "command": ["python3", "-m", "iam_login", *application.command[2:]],
            "environment": {
                **application.environment,
                **database,
                **_uploads_and_channel(region),
                **pools(connections),
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
                # Migrations of encrypted columns need the application's key, and the application does not load
                # without it.
                "WEBUI_SECRET_KEY": SESSION_KEY,
            },
            "disposable_directories": list(COPIES),
            "files": {**application.files, TRUST: authority or database_authority(region), LOGIN: login},
            "database": DatabaseArgs(
                extensions=["vector"],
                paths=["/app/backend", FILES],
                configuration="/app/backend/open_webui/alembic.ini",
                scripts="/app/backend/open_webui/migrations",
                scratch_variables=["DATA_DIR", "STATIC_DIR"],
                warm_up=["iam_login", "open_webui.retrieval.vector.factory"],
            ),
        }
    )


def _database(region: str) -> dict[str, str]:
    return {
        # The region for which boto3 signs tokens; it has no other source for it.
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
    """Sizes of the three pools, which together open at most this many connections. Half of each pool stays open when
    idle.

    The vector store gets a fifth. Raises ``ValueError`` below 10, because a pool would be too small.
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
        # Otherwise boto3 uses S3's global name in us-east-1, which does not resolve inside the network.
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
