"""Who approved a deployment: the reviews of a run's environments (https://docs.github.com/rest/actions/workflow-runs)."""

from __future__ import annotations

import re

from preflight.account.lines import CannotTellError
from preflight.github.api import GitHub, GitHubError, client
from preflight.github.setting import ACTIONS

_RUN = re.compile(r"https://[^/]+/([^/]+/[^/]+)/actions/runs/(\d+)(?:/attempts/\d+)?")


def approvers(github: GitHub, run: str, environment: str) -> list[str]:
    """The users who approved the deployment to a GitHub environment in a run, as ``@login``, sorted."""
    reviews = github.every(f"/actions/runs/{run}/approvals", ACTIONS)
    return sorted(
        {
            f"@{review['user']['login']}"
            for review in reviews
            if review["state"] == "approved" and any(one.get("name") == environment for one in review["environments"])
        }
    )


def of_run(url: str, environment: str) -> list[str]:
    """``approvers`` for the URL of a run, with the process's token.

    :raises GitHubError: the URL is not one of a run, or GitHub does not answer the question
    """
    found = _RUN.fullmatch(url)
    if found is None:
        raise GitHubError(
            f"--run is {url!r}, not the URL of a run.\nfix: https://github.com/<owner>/<name>/actions/runs/<id>"
        )
    try:
        return approvers(client(found[1]), found[2], environment)
    except CannotTellError as error:
        raise GitHubError(f"cannot read who approved {url}: {error.reason}\nfix: {error.fix}") from None
