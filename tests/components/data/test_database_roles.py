"""The roles of a database are three different ones, with names that RDS accepts."""

import pytest

from components.data.database import ROLES
from components.data.database_roles import DatabaseRoles


def test_the_programs_roles_differ() -> None:
    assert len({ROLES.master, ROLES.application, ROLES.owner}) == 3


@pytest.mark.parametrize(("master", "which"), [("interface_owner", "owner"), ("interface", "application")])
def test_a_master_that_is_also_another_role_is_refused(master: str, which: str) -> None:
    with pytest.raises(ValueError, match=f"master role '{master}' is also its {which} role.* choose a name other than"):
        DatabaseRoles(master=master, application="interface")


@pytest.mark.parametrize("name", ["admin", "rdsadmin", "rds_master", "pg_master", "1master", "Master", "m" * 17, ""])
def test_a_name_that_rds_or_postgresql_refuses_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="choose another name"):
        DatabaseRoles(master=name, application="interface")
