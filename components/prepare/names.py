"""Names in the database that are derived from the application's role, for ``prepare`` and the ``Data`` component."""

IAM_ROLE = "rds_iam"
"""Members of this role can log in to RDS only with an IAM token."""
RECORD_SCHEMA = "ai_interface"
"""The schema in which prepare records releases."""


def owner_of(role: str) -> str:
    """The role that owns the application's schema."""
    return f"{role}_owner"
