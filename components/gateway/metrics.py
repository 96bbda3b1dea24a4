"""Runs inside the gateway, as a callback of LiteLLM: usage and errors as metrics, one line for each call.

The lines have CloudWatch's embedded metric format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html), from
which CloudWatch Logs extracts the metrics. They contain numbers, the model and the kind of an error, and nothing that a
user or a model wrote: not the text of an error either, because an error may quote the prompt.

The file is copied into the task as it is, so it imports nothing of this repository.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

NAMESPACE, ENVIRONMENT = "GATEWAY_METRICS", "GATEWAY_ENVIRONMENT"
MODELS = "GATEWAY_MODELS"
UNKNOWN = "other"
"""The model of a call that names none of the declared ones: its text is the caller's."""
_THROTTLED, _SERVER = 429, 500
_CustomLogger: Any = importlib.import_module("litellm.integrations.custom_logger").CustomLogger


class Metrics(_CustomLogger):
    """LiteLLM calls one of these for each call to a model, after the last byte of the answer."""

    async def async_log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """An answer."""
        known = _known(kwargs)
        tokens = {"InputTokens": known.get("prompt_tokens"), "OutputTokens": known.get("completion_tokens")}
        counted = {"Calls": 1, "Failures": 0, **{name: int(value or 0) for name, value in tokens.items()}}
        write(known, counted, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: Mapping[str, Any], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """An error: the caller's (Refusals), a quota's (Throttles), or of the gateway or Bedrock (Failures)."""
        known = _known(kwargs)
        error = cast("Mapping[str, Any]", known.get("error_information") or {})
        code = str(error.get("error_code") or "")
        status = int(code) if code.isdecimal() else _SERVER
        kind = "Throttles" if status == _THROTTLED else "Failures" if status >= _SERVER else "Refusals"
        counted = {"Calls": 1, "Failures": 0, kind: 1}
        write(known, counted, start_time, end_time, status=str(status), error=str(error.get("error_class") or ""))


def _known(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", kwargs.get("standard_logging_object") or {})


def write(
    known: Mapping[str, Any], counted: Mapping[str, int], start: datetime, end: datetime, **properties: str
) -> None:
    """One line. ``properties`` are searchable in the log and are no dimensions."""
    asked = str(known.get("model_group") or "")
    declared = json.loads(os.environ.get(MODELS, "[]"))
    metrics = [{"Name": name, "Unit": "Count"} for name in sorted(counted)]
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": os.environ.get(NAMESPACE, ""),
                    "Dimensions": [["environment"], ["environment", "model"]],
                    "Metrics": [*metrics, {"Name": "Latency", "Unit": "Milliseconds"}],
                }
            ],
        },
        "environment": os.environ.get(ENVIRONMENT, ""),
        "model": asked if asked in declared else UNKNOWN,
        "Latency": round((end - start).total_seconds() * 1000),
        **counted,
        **properties,
    }
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


metrics = Metrics()
