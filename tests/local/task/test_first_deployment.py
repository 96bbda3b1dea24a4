"""The first deployment of each stack: its own prepare container on an empty database, with its own names."""

from __future__ import annotations

import pytest

from components.prepare.names import owner_of
from local.data.database import CLUSTER
from local.task.task import FAILED_TO_START
from tests.local.around import failed, stack_of, variables, world


@pytest.mark.parametrize("taken", ["application", "owner"])
def test_a_master_with_the_name_of_another_role_ends_the_first_deployment(taken: str) -> None:
    stack = stack_of("staging")
    role = next(one["value"] for one in variables(stack, "prepare") if one["name"] == "DATABASE_USER")
    name = {"application": role, "owner": owner_of(role)}[taken]
    planted = stack.changed(stack.one(CLUSTER), masterUsername=name)

    with world(planted) as found, found.task() as task:
        failed(task)

    assert task.stop_code == FAILED_TO_START
    assert "container prepare ended with exit code 1" in task.cause
    assert "no role can be granted to itself: give the database another master" in task.cause
