"""One wrong value makes the twin fail, and it names the cause. What was recorded right comes up: see ``test_day``."""

from __future__ import annotations

import re

import pytest

from local.task.deployment import InvalidServiceError
from local.twin import DidNotStartError, running
from local.visitor import RequestRefusedError
from tests.local.around import stack_of
from tests.local.aws.world import bootstrap
from tests.local.twin.breaks import BREAKS, Break
from tests.local.twin.conftest import needs_namespaces

STACK = "staging"
START_SECONDS = 60


@pytest.mark.parametrize("broken", BREAKS, ids=[one.name for one in BREAKS])
def test_one_wrong_value_stops_the_twin_and_is_named(broken: Break) -> None:
    needs_namespaces()
    said = _said(broken)
    assert re.search(broken.cause, said, re.DOTALL), said


def _said(broken: Break) -> str:
    try:
        with running(broken.change(stack_of(STACK)), bootstrap=bootstrap(STACK)) as twin:
            if broken.use is None:
                with pytest.raises(DidNotStartError) as stopped:
                    twin.wait(START_SECONDS, lambda: re.search(broken.cause, "\n".join(twin.said()), re.DOTALL))
                said = "\n".join([str(stopped.value), *twin.causes()])
                twin.kill()
                return said
            twin.wait()
            with pytest.raises((RequestRefusedError, TimeoutError)) as refused:
                broken.use(twin)
            return "\n".join([str(refused.value), *twin.causes(), *twin.said_last()])
    except InvalidServiceError as error:
        return str(error)
