"""Known mistakes in a stack file, and the message for each."""

from __future__ import annotations

import pytest

from settings import Problem, SettingsError
from tests.settings.mistakes import ROWS, Row
from tests.settings.mistakes_at_the_edge import EDGE_ROWS
from tests.settings.mistakes_in_identity import IDENTITY_ROWS
from tests.settings.mistakes_in_models import MODEL_ROWS
from tests.settings.mistakes_in_sizes import SIZE_ROWS
from tests.settings.mistakes_in_the_network import NETWORK_ROWS
from tests.settings.mistakes_in_tools import TOOL_ROWS
from tests.settings.stack_files import Values, changed, own_values, parse


def problems_with(changes: Values, **outside: object) -> tuple[Problem, ...]:
    """The problems of the staging file after ``changes``."""
    with pytest.raises(SettingsError) as caught:
        parse(changed(own_values(), changes), **outside)
    return caught.value.problems


EVERY_ROW = (*ROWS, *EDGE_ROWS, *IDENTITY_ROWS, *MODEL_ROWS, *NETWORK_ROWS, *SIZE_ROWS, *TOOL_ROWS)


@pytest.mark.parametrize("case", EVERY_ROW, ids=lambda case: case.name)
def test_each_mistake_is_named_with_its_key_value_and_fix(case: Row) -> None:
    found = [(p.key, p.value, p.fix) for p in problems_with(case.changes, **case.outside)]
    expected = [(k if ":" in k or " " in k else f"ai-interface:{k}", v, f) for k, v, f in case.problems]
    assert found == expected


WHOLE_MESSAGES: dict[str, tuple[Values, str]] = {
    "a bad CIDR": (
        {"network.cidrBlock": "10.20.0.0/33"},
        """1 problem in the settings of stack staging (Pulumi.staging.yaml)

ai-interface:network.cidrBlock
  value:   "10.20.0.0/33"
  allowed: a network of /16 to /20 inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, without host bits
  fix:     choose a block that does not overlap with a peered network, for example 10.20.0.0/16""",
    ),
    "a tag instead of a digest": (
        {"release": "ghcr.io/open-webui/open-webui:v0.11.4"},
        """1 problem in the settings of stack staging (Pulumi.staging.yaml)

ai-interface:release
  value:   "ghcr.io/open-webui/open-webui:v0.11.4"
  allowed: the version of a manifest in releases/ (year.month.number), for example 2026.11.1
  fix:     write the version of a manifest; image tags and digests do not belong here: the manifest pins each image by digest""",
    ),
    "a body limit of 5 GB": (
        {"limits.uploadMebibytes": 5120},
        """1 problem in the settings of stack staging (Pulumi.staging.yaml)

ai-interface:limits.uploadMebibytes
  value:   5120
  allowed: a whole number from 1 to 512
  fix:     set it to 512 or less""",
    ),
    "no user allowed, and an unknown key": (
        {"identity.allowed": {}, "identity.allow": {}},
        """2 problems in the settings of stack staging (Pulumi.staging.yaml)

ai-interface:identity.allowed
  value:   an empty object
  allowed: at least one of claim (name and values), emailDomains, emails
  fix:     add a selector, for example allowed: {emailDomains: [example.com]}

ai-interface:identity.allow
  value:   (unknown key)
  allowed: the keys provider, issuer, authorizationEndpoint, tokenEndpoint, userInfoEndpoint, endSessionEndpoint, clientId, \
clientSecretName, scopes, sessionCookieName, sessionTimeoutSeconds, allowed, blocked, administrators, machineClients
  fix:     did you mean allowed? Otherwise remove the key""",
    ),
    "a time budget that does not add up": (
        {
            "limits.timeouts": {
                "modelDeadlineSeconds": 700,
                "streamSeconds": 650,
                "edgeIdleSeconds": 800,
                "keepAliveSeconds": 900,
            }
        },
        """2 problems in the settings of stack staging (Pulumi.staging.yaml)

ai-interface:limits.timeouts.modelDeadlineSeconds
  value:   700
  allowed: less than streamSeconds (650); otherwise the proxy ends a response before the model's deadline
  fix:     set it to 649 or less, or raise streamSeconds

ai-interface:limits.timeouts.streamSeconds
  value:   650
  allowed: at most deregistrationDelaySeconds (600); otherwise a deployment interrupts responses
  fix:     set it to 600 or less, or raise deregistrationDelaySeconds""",
    ),
}


@pytest.mark.parametrize("name", WHOLE_MESSAGES)
def test_the_whole_message_reads_as_written_here(name: str) -> None:
    changes, message = WHOLE_MESSAGES[name]
    with pytest.raises(SettingsError) as caught:
        parse(changed(own_values(), changes))
    assert str(caught.value) == message


def test_problems_of_all_sections_and_between_them_come_at_once() -> None:
    keys = [
        p.key.removeprefix("ai-interface:")
        for p in problems_with(
            {
                "network.availabilityZones": ["eu-west-1a", "us-east-1b"],
                "limits.uploadMebibytes": 5120,
                "release": "latest",
                "extra": 1,
            }
        )
    ]
    assert keys == ["extra", "release", "limits.uploadMebibytes", "network.availabilityZones[1]"]
