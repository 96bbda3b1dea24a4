"""The roles inside PostgreSQL, and the check that their names differ.

RDS creates the master with the cluster. ``prepare`` creates the other two as the master, and grants the owner to it.
PostgreSQL refuses to grant a role to itself, so with the owner's name as the master's name, every first deployment
would fail.
"""

import re
from dataclasses import dataclass

from components.prepare.names import owner_of

_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
"""A letter first, then letters, digits and underscores, 16 characters at most: what every engine of RDS accepts
(https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html). PostgreSQL folds capitals."""
_RESERVED = frozenset({"admin", "rdsadmin"})
"""Names that RDS refuses for the master of Aurora PostgreSQL
(https://github.com/aws-cloudformation/cfn-lint/pull/4425)."""
_RESERVED_BEGINNINGS = ("pg_", "rds_")
"""PostgreSQL reserves the first for its own roles (https://www.postgresql.org/docs/16/predefined-roles.html), RDS the
second (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html)."""


@dataclass(frozen=True, kw_only=True)
class DatabaseRoles:
    """The roles of one database. Raises ``ValueError`` for names that RDS or ``prepare`` cannot use."""

    master: str
    """RDS creates this role with the cluster and stores its password. Only ``prepare`` logs in with it."""
    application: str
    """The application's role, which logs in by IAM."""

    @property
    def owner(self) -> str:
        """Owns the application's schema, and has no login."""
        return owner_of(self.application)

    def __post_init__(self) -> None:
        for which, name in (("master", self.master), ("application", self.application)):
            if not _NAME.fullmatch(name) or name in _RESERVED or name.startswith(_RESERVED_BEGINNINGS):
                raise ValueError(
                    f"the database's {which} role {name!r} must be a lower-case letter and at most 15 more letters, digits "
                    f"and underscores, not {' or '.join(sorted(_RESERVED))}, and not begin with "
                    f"{' or '.join(_RESERVED_BEGINNINGS)}: choose another name"
                )
        if self.master in (self.application, self.owner):
            raise ValueError(
                f"the database's master role {self.master!r} is also its "
                f"{'application' if self.master == self.application else 'owner'} role: prepare could not grant a role "
                f"to itself, and no task would start; choose a name other than {self.application} and {self.owner}"
            )
