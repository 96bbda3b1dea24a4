"""Names in the database that follow from the application's role, for ``prepare`` and for whoever makes the database."""

IAM_ROLE = "rds_iam"
"""RDS lets its members log in by IAM token only."""
RECORD_SCHEMA = "ai_interface"
"""The schema of prepare's own record of releases."""


def owner_of(role: str) -> str:
    """The role that owns the application's schema."""
    return f"{role}_owner"
