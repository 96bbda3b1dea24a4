"""LiteLLM's configuration, generated from the declared models: no database, no user interface, no destination but
Bedrock's endpoint, and no content in its logs.

LiteLLM translates Chat Completions to the API of each model and signs as the task role. Only the task's Envoy, on
loopback, can call it: Envoy admits one path, so none of its other routes (keys, spend, configuration) is reachable.
"""

import json
from pathlib import Path
from typing import Any

from components.gateway.settings import METRICS_NAMESPACE, TRANSLATOR_PORT, Api, GatewayModel, GatewaySettings

TEMPORARY = "/dev/shm"  # noqa: S108 - see below
"""The only place that a container can write to here: a memory disk of 64 MiB. A volume on Fargate could be written by root
only, and the root file system is read-only."""
FOLDER = f"{TEMPORARY}/gateway"
CONFIGURATION = f"{FOLDER}/config.yaml"
METRICS = f"{FOLDER}/metrics.py"
KEY_VARIABLE = "GATEWAY_KEY"
"""The variable with LiteLLM's master key. Envoy sends it; no one else has it."""
FILES_VARIABLE = "GATEWAY_FILES"
"""The variable with the files: path → content. It is removed before LiteLLM starts."""
_START = (
    "import json,os,pathlib\n"
    f"for path,text in json.loads(os.environ.pop({FILES_VARIABLE!r})).items():\n"
    " file=pathlib.Path(path);file.parent.mkdir(mode=0o700,exist_ok=True);file.write_text(text)\n"
    "os.execvp({program!r},{arguments!r})"
)
"""Writes LiteLLM's files, then becomes LiteLLM."""

_ENVIRONMENT = {
    # A connection through an interface endpoint is lost after 350 seconds of silence; probes keep it.
    "AIOHTTP_SO_KEEPALIVE": "True",
    # Nothing is fetched: the lists of prices and headers are those of the image.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "HF_HUB_OFFLINE": "1",
    # Fargate has no instance metadata, and waiting for it would delay the first call.
    "AWS_EC2_METADATA_DISABLED": "true",
    "DISABLE_ADMIN_UI": "True",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "NO_OPENAPI": "True",
    "LITELLM_DONT_SHOW_FEEDBACK_BOX": "True",
    "HOME": TEMPORARY,
    "TMPDIR": TEMPORARY,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}


def litellm_configuration(settings: GatewaySettings) -> dict[str, Any]:
    """LiteLLM's configuration as JSON-compatible data. It is deterministic and contains no secret."""
    return {
        "model_list": [_model(model, settings) for model in settings.models],
        "litellm_settings": {
            "callbacks": ["metrics.metrics"],
            "turn_off_message_logging": True,
            "redact_user_api_key_info": True,
            # A parameter that a model does not have is left out. The application offers the same ones for all models.
            "drop_params": True,
            "num_retries": 0,
            "request_timeout": settings.model_deadline_seconds,
            "suppress_debug_info": True,
        },
        "router_settings": {
            # The interface's proxy retries and fails over. A cooldown would refuse every user after one user's errors.
            "num_retries": 0,
            "disable_cooldowns": True,
        },
        "general_settings": {
            "master_key": f"os.environ/{KEY_VARIABLE}",
            "disable_spend_logs": True,
            "disable_error_logs": True,
            "store_model_in_db": False,
        },
    }


def _model(model: GatewayModel, settings: GatewaySettings) -> dict[str, Any]:
    if model.api is Api.EMBEDDINGS:
        return {
            "model_name": model.id,
            "model_info": {"mode": "embedding"},
            "litellm_params": {
                "model": f"bedrock/{model.id}",
                "aws_region_name": settings.region,
                "aws_bedrock_runtime_endpoint": f"https://bedrock-runtime.{settings.region}.amazonaws.com",
                "timeout": settings.model_idle_seconds,
                "max_retries": 0,
            },
        }
    return {
        "model_name": model.id,
        "litellm_params": {
            # The route is named, so that the API does not depend on LiteLLM's list of models.
            "model": f"bedrock/{model.api.value}/{model.id}",
            "aws_region_name": settings.region,
            "aws_bedrock_runtime_endpoint": f"https://bedrock-runtime.{settings.region}.amazonaws.com",
            # A caller's own value would replace this one; the task role's policy denies a call with any other guardrail.
            "guardrailConfig": {
                "guardrailIdentifier": settings.guardrail_id,
                "guardrailVersion": settings.guardrail_version,
            },
            "timeout": settings.model_deadline_seconds,
            "stream_timeout": settings.model_idle_seconds,
            "max_retries": 0,
        },
    }


def files(settings: GatewaySettings) -> dict[str, str]:
    """The files that LiteLLM reads: path → content."""
    return {
        CONFIGURATION: json.dumps(litellm_configuration(settings), sort_keys=True, separators=(",", ":")),
        METRICS: Path(__file__).with_name("metrics.py").read_text(encoding="utf-8"),
    }


def command() -> list[str]:
    """The container's command. The entry point of the image adds nothing to LiteLLM that is used here."""
    arguments = ["litellm", "--config", CONFIGURATION, "--host", "127.0.0.1", "--port", str(TRANSLATOR_PORT)]
    return ["python3", "-I", "-c", _START.format(program=arguments[0], arguments=arguments)]


def environment(settings: GatewaySettings) -> dict[str, str]:
    """LiteLLM's environment, without secrets."""
    models = json.dumps([model.id for model in settings.models], separators=(",", ":"))
    return {
        **_ENVIRONMENT,
        "LITELLM_LOG": "CRITICAL",
        "JSON_LOGS": "true",
        "GATEWAY_ENVIRONMENT": settings.environment,
        "GATEWAY_METRICS": METRICS_NAMESPACE,
        "GATEWAY_MODELS": models,
        FILES_VARIABLE: json.dumps(files(settings), sort_keys=True, separators=(",", ":")),
    }


HEALTH_COMMAND = (
    "python3",
    "-I",
    "-c",
    f"import urllib.request;urllib.request.urlopen('http://127.0.0.1:{TRANSLATOR_PORT}/health/liveliness',timeout=4)",
)
"""Exits with 1 unless LiteLLM's status is 200. It calls no model."""
