"""What Open WebUI needs where its state is shared: database, vector store, uploads, and a channel between tasks.

Read from the source of 0.10.2 and 0.11.3, and seen to work in ``make test-database``:

- Every connection, the vector store's own included, takes the password from an IAM token if
  ``DATABASE_ENABLE_IAM_TOKEN_AUTH`` is set, and everything else of the connection from ``DATABASE_*``. These have no
  place for TLS, so libpq's own variables say it: all three of its engines use libpq.
- ``ENABLE_DB_MIGRATIONS=false`` keeps Alembic from running. The vector store still makes its table and indexes when
  it is imported, and checks its index by a statement that takes ownership: its table lies in the role's own schema.
- 0.10.2 logs a failed migration and goes on; so the migrations are never its own to run.
"""

from components.application import ApplicationArgs, DatabaseArgs
from components.certificates import database_authority
from components.workload import SESSION_KEY

TRUST = "/srv/trust/database.pem"
"""The authority of the database's certificate, where both containers find it."""

DATABASE = {
    "DATABASE_HOST": "database-host",
    "DATABASE_NAME": "database-name",
    "DATABASE_PORT": "database-port",
    "DATABASE_USER": "database-user",
}
"""Where the database is and as whom the application logs in."""


def with_shared_state(application: ApplicationArgs, region: str, authority: str) -> ApplicationArgs:
    """The application with a database, a cache and a bucket in ``region``; ``authority`` empty means RDS's there."""
    if not region:
        raise ValueError("shared_state needs the region of the database and the bucket")
    database = _database(region)
    return application.model_copy(
        update={
            "environment": {**application.environment, **database, **_uploads_and_channel(region)},
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
            "files": {TRUST: authority or database_authority(region)},
            "database": DatabaseArgs(
                extensions=["vector"],
                path="/app/backend",
                configuration="/app/backend/open_webui/alembic.ini",
                scripts="/app/backend/open_webui/migrations",
                scratch_variables=["DATA_DIR", "STATIC_DIR"],
                warm_up=["open_webui.retrieval.vector.factory"],
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


def _uploads_and_channel(region: str) -> dict[str, str]:
    return {
        "REDIS_HEALTH_CHECK_INTERVAL": "30",
        "REDIS_SOCKET_CONNECT_TIMEOUT": "5",
        "REDIS_SOCKET_KEEPALIVE": "true",
        "S3_REGION_NAME": region,
        "STORAGE_PROVIDER": "s3",
        # Its address is REDIS_URL unless it is told another.
        "WEBSOCKET_MANAGER": "redis",
    }
