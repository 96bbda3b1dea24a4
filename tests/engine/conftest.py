"""Environments on the real engine, deployed once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine import documented
from tests.engine.harness import PACKS, REPOSITORY, Engine, Outcome

STACKS = ("staging", "prod")


@dataclass(frozen=True, slots=True)
class Deployed:
    """One environment, deployed with the README's command. Fork it before changing it."""

    engine: Engine
    first_preview: Outcome
    touched_by_preview: int
    up: Outcome
    second_preview: Outcome

    def fork(self, root: Path) -> Engine:
        """A copy that a test may change, with a fresh operations log."""
        engine = self.engine.fork(root / "fork")
        engine.cloud.forget_operations()
        return engine


Deploy = Callable[[str], Deployed]


@pytest.fixture(scope="session")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """Bring an environment up once, with both packs, and hand out the same one afterwards."""
    done: dict[str, Deployed] = {}
    failed: set[str] = set()

    def deploy(stack: str) -> Deployed:
        if stack in failed:
            pytest.fail(f"{stack} did not start: see the first failure", pytrace=False)
        if stack not in done:
            failed.add(stack)
            engine = Engine.create(tmp_path_factory.mktemp(stack) / "engine", REPOSITORY, stack)
            first_preview = engine.preview(packs=PACKS)
            touched = len(engine.cloud.operations("create", "update", "delete")) + len(engine.resources())
            up = engine.documented(documented.deploy_command(stack), "--yes")
            done[stack] = Deployed(engine, first_preview, touched, up, engine.preview("--diff", packs=PACKS))
            failed.remove(stack)
        return done[stack]

    return deploy


@pytest.fixture(scope="session", params=STACKS)
def deployed(request: pytest.FixtureRequest, deploy: Deploy) -> Deployed:
    """Each of the real environments, up."""
    return deploy(request.param)


@pytest.fixture(scope="session")
def staging(deploy: Deploy) -> Deployed:
    """The staging environment, up."""
    return deploy("staging")
