"""What a preset tells the task and the proxy."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.applications import (
    ApplicationArgs,
    Search,
    ToolServer,
    default_preset,
    find_preset,
    preset_names,
    presets,
)
from components.applications.documents import language_files
from components.applications.presets.open_webui import PRESET, PRIVATE_LOG
from components.prepare import packed_module
from components.proxy import ProxyIdentity, ProxyPeople
from components.proxy.common import CALLER
from components.proxy.settings import ProxyLogout
from settings import StackSettings
from settings.data import LEAST_CONNECTIONS
from tests.components.task_fixtures import application, build, one, text

SOMEBODY = ProxyPeople(email_domains=("example.com",))


def _environment(**changes: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the settings hold
    return application(**changes).environment


def test_open_webui_believes_the_proxys_headers_and_has_no_login_of_its_own() -> None:
    environment = _environment()

    assert {key: environment[key] for key in sorted(environment) if "TRUSTED" in key} == {
        "WEBUI_AUTH_TRUSTED_EMAIL_HEADER": "x-user-email",
        "WEBUI_AUTH_TRUSTED_NAME_HEADER": "x-user-name",
        "WEBUI_AUTH_TRUSTED_ROLE_HEADER": "x-user-role",
    }
    for closed in ("ENABLE_API_KEYS", "ENABLE_LOGIN_FORM", "ENABLE_SIGNUP"):
        assert environment[closed] == "false"
    assert environment["DEFAULT_USER_ROLE"] == PRESET.headers.member_role


def test_the_headers_of_the_preset_are_those_that_the_proxy_sets_by_default() -> None:
    headers = PRESET.headers
    identity = ProxyIdentity(
        signer_arn="arn", client_id="id", issuer="issuer", allowed=SOMEBODY, administrators=SOMEBODY, contact="c"
    )

    assert (headers.email, headers.name, headers.role) == identity.trusted_headers
    assert (headers.administrator_role, headers.member_role) == (identity.administrator_role, identity.member_role)


def test_the_applications_session_is_as_long_as_the_edges() -> None:
    assert _environment(session_seconds=3600)["JWT_EXPIRES_IN"] == "3600s"


def test_prompts_go_to_the_proxy_on_loopback_and_nowhere_else() -> None:
    environment = _environment()
    urls = [value for value in environment.values() if "://" in value]

    assert environment["OPENAI_API_BASE_URLS"] == "http://127.0.0.1:9080/general/v1;http://127.0.0.1:9080/private/v1"
    assert environment["ENABLE_OLLAMA_API"] == "false"
    assert sorted(urls) == sorted(
        [
            environment["OPENAI_API_BASE_URLS"],
            "https://chat.example.com",
            "https://chat.example.com",
            "https://chat.example.com/logout",
        ]
    )


def test_each_model_call_forwards_the_header_that_the_proxy_fills_and_asks_for_tokens() -> None:
    environment = _environment()
    connections = json.loads(environment["OPENAI_API_CONFIGS"])

    assert PRESET.proxy.caller_header == PRESET.caller_header == "user-agent"
    assert list(connections) == [str(n) for n in range(len(environment["OPENAI_API_BASE_URLS"].split(";")))]
    assert {json.dumps(one) for one in connections.values()} == {json.dumps({"headers": {CALLER: "{{USER_AGENT}}"}})}
    assert json.loads(environment["DEFAULT_MODEL_METADATA"]) == {"capabilities": {"usage": True}}
    assert "ENABLE_FORWARD_USER_INFO_HEADERS" not in environment


def test_only_the_public_origin_opens_a_websocket() -> None:
    assert _environment(origin="https://ai.example.org")["CORS_ALLOW_ORIGIN"] == "https://ai.example.org"


def test_the_environment_rules_and_nothing_is_fetched_or_installed() -> None:
    environment = _environment()

    assert {key: environment[key] for key in ("OFFLINE_MODE", "ENABLE_PERSISTENT_CONFIG", "ENABLE_PLUGINS")} == {
        "OFFLINE_MODE": "true",
        "ENABLE_PERSISTENT_CONFIG": "false",
        "ENABLE_PLUGINS": "false",
    }
    assert environment["ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS"] == "false"
    assert environment["ENABLE_VERSION_UPDATE_CHECK"] == "false"


TOOL = ToolServer(name="wiki", url="http://127.0.0.1:9080/tools/wiki")


def _switches(version: str, *servers: ToolServer) -> dict[str, str]:
    """The switches that are set, for 0.12.4: each kind is on if ``ENABLE_PLUGINS`` and its own switch are."""
    environment = _environment(version=version, tool_servers=servers)
    names = ("ENABLE_PLUGINS", "ENABLE_FUNCTIONS", "ENABLE_TOOLS", "ENABLE_TOOL_SERVERS")
    return {name: environment[name] for name in names if name in environment}


@pytest.mark.parametrize("version", ["", "0.11.4", "0.12.3", "v0.11.4", "main", "0.12.4-dev", "0.12"])
def test_tool_servers_do_not_let_administrators_run_code(version: str) -> None:
    assert _switches(version, TOOL) == {"ENABLE_PLUGINS": "false"}


@pytest.mark.parametrize("version", ["0.12.4", "v0.12.4", "0.13.0", "1.0.0"])
def test_where_tool_servers_have_their_own_switch_code_stays_off(version: str) -> None:
    assert _switches(version, TOOL) == {"ENABLE_PLUGINS": "true", "ENABLE_FUNCTIONS": "false", "ENABLE_TOOLS": "false"}
    assert _switches(version) == {"ENABLE_PLUGINS": "false"}


@pytest.mark.parametrize(
    ("kind", "variable"), [("searxng", "SEARXNG_QUERY_URL"), ("external", "EXTERNAL_WEB_SEARCH_URL")]
)
def test_a_declared_search_is_on_without_the_pages_that_it_finds(kind: str, variable: str) -> None:
    url = "http://127.0.0.1:9080/search"
    environment = _environment(search=Search(kind=kind, url=url))
    wanted = {
        "ENABLE_WEB_SEARCH": "true",
        "WEB_SEARCH_ENGINE": kind,
        variable: url,
        "BYPASS_WEB_SEARCH_WEB_LOADER": "true",
    }
    without = _environment()
    assert {name: value for name, value in environment.items() if without.get(name) != value} == wanted


def test_sizes_and_deadlines_are_those_of_the_settings() -> None:
    environment = _environment(upload_mebibytes=25, model_deadline_seconds=300)

    assert environment["RAG_FILE_MAX_SIZE"] == "25"
    assert environment["AIOHTTP_CLIENT_TIMEOUT"] == "300"


def test_answers_are_neither_compressed_nor_logged() -> None:
    environment = _environment()

    assert environment["ENABLE_COMPRESSION_MIDDLEWARE"] == "false"
    assert environment["AUDIT_LOG_LEVEL"] == "NONE"
    assert "--no-access-log" in application().command


def test_it_listens_on_loopback_only() -> None:
    command = application().command

    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "8080"


def test_the_proxy_lets_go_of_a_connection_before_the_application_does() -> None:
    command = application().command
    keep_alive = int(command[command.index("--timeout-keep-alive") + 1])

    assert PRESET.proxy.keep_alive_seconds == keep_alive


def test_what_it_writes_lies_on_prepared_volumes() -> None:
    made = application()

    for variable in ("DATA_DIR", "HOME", "STATIC_DIR"):
        assert made.environment[variable] in made.writable_directories
    assert "/tmp" in made.writable_directories  # noqa: S108 - the task's own volume
    # An empty volume there would hide the embedding models of the image.
    assert not any(directory.startswith("/app/") for directory in made.writable_directories)
    assert made.seeds == {"/srv/static": "/app/backend/open_webui/static"}


def test_no_value_looks_like_a_secret_and_the_session_key_comes_by_reference() -> None:
    made = application()

    assert made.secret_environment == {"WEBUI_SECRET_KEY": "session-key"}
    assert not [key for key in made.environment if re.search(r"SECRET|PASSWORD$|TOKEN$|API_KEY$", key)]


def test_a_releases_prompts_are_delivered_but_cannot_weaken_the_preset() -> None:
    environment = _environment(
        prompt_environment={"TITLE_GENERATION_PROMPT_TEMPLATE": "Write a title", "ENABLE_SIGNUP": "true"}
    )

    assert environment["TITLE_GENERATION_PROMPT_TEMPLATE"] == "Write a title"
    assert environment["ENABLE_SIGNUP"] == "false"


def test_the_prepare_container_gets_the_presets_directories_and_owner() -> None:
    definitions = json.loads(
        text(one(build("service"), "aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    )
    plan = next(one for one in definitions[0]["environment"] if one["name"] == "PREPARE_PLAN")

    assert json.loads(plan["value"]) == {
        "directories": ["/home/app", "/srv/data", "/srv/static", "/tmp"],  # noqa: S108 - the task's own volume
        "files": {
            **language_files("/srv/trust"),
            "/srv/trust/private_log.py": packed_module(PRIVATE_LOG.read_text("utf-8")),
        },
        "owner": [1000, 1000],
        "seeds": {"/srv/static": "/app/backend/open_webui/static"},
    }


def test_an_image_without_python_brings_its_own_preparation() -> None:
    chosen = ApplicationArgs(
        name="chat",
        writable_directories=["/tmp"],  # noqa: S108 - the task's own volume
        prepare_command=["/bin/chown", "1000:1000", "/tmp"],  # noqa: S108
    )
    definitions = json.loads(
        text(
            one(build("service", application=chosen), "aws:ecs/taskDefinition:TaskDefinition").inputs[
                "containerDefinitions"
            ]
        )
    )

    assert (definitions[0]["entryPoint"], definitions[0]["command"]) == (["/bin/chown"], ["1000:1000", "/tmp"])  # noqa: S108
    assert "entryPoint" not in definitions[2]


@pytest.mark.parametrize("field", ["user", "group"])
def test_an_application_never_runs_as_root(field: str) -> None:
    with pytest.raises(ValidationError, match="must be above 0"):
        ApplicationArgs.model_validate({"name": "chat", field: 0})


def test_signing_out_goes_to_the_proxys_logout() -> None:
    assert _environment()["WEBUI_AUTH_SIGNOUT_REDIRECT_URL"] == "https://chat.example.com" + ProxyLogout().path


def test_every_module_of_the_folder_is_an_application_and_the_settings_select_one_of_them() -> None:
    folder = Path(presets.__file__).parent
    assert preset_names() == sorted(
        path.stem.replace("_", "-") for path in folder.glob("*.py") if path.stem != "__init__"
    )
    assert [find_preset(name).name for name in preset_names()] == preset_names()
    default = StackSettings.model_fields["application"].default
    assert find_preset(default) is default_preset()


def test_the_settings_ask_for_as_many_connections_as_the_default_application_needs() -> None:
    assert default_preset().least_database_connections == LEAST_CONNECTIONS


def test_an_unknown_application_is_named_with_those_that_exist() -> None:
    known = ", ".join(preset_names())
    with pytest.raises(ValueError, match=f"unknown application 'no-such': use one of {known}$"):
        find_preset("no-such")


PATHS = PRESET.paths


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pages": ("/", "/logout")}, "pages does not offer /oauth2/idpresponse, the login callback"),
        ({"pages": ("/", "/oauth2/idpresponse")}, "pages does not offer /logout, the logout path"),
        ({"blocked": ("/logout*",)}, "pages does not offer /logout, the logout path"),
        ({"api": ("/logout",)}, "pages does not offer /logout, the logout path"),
        ({"api": ("/*",)}, "would offer every path of that form"),
        ({"pages": ("pages",)}, "a path pattern starts with /"),
        ({"uploads": ("/files/*",)}, "uploads has '/files/\\*': write a prefix that starts with /, without wildcards"),
        ({"websockets": ("ws",)}, "websockets has 'ws'"),
        ({"uploads": (), "model_calls": (), "prompts": ()}, "uploads, model_calls and prompts are empty"),
    ],
)
def test_paths_with_which_an_application_cannot_work_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PATHS, **changes)


def test_a_health_path_that_users_could_request_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"/api/ready is offered to users by /api/\*: add it to paths\.blocked"):
        replace(PRESET, health_path="/api/ready")
    assert replace(PRESET, health_path="/up").proxy.health_path == "/up"
    with pytest.raises(ValueError, match="health_path is 'up'"):
        replace(PRESET, health_path="up")
