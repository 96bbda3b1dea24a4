"""Asks each model group one question by the proxy on loopback, and writes the result as one line of JSON.

It runs in the task as text in the container's command, so it imports nothing of this repository. The plan is JSON in
SYNTHETIC_CHAT_PLAN::

    {"environment": "prod", "groups": [["general", "a-model"]], "namespace": "…", "port": 9080, "prompt": "…", "seconds": 60, "tokens": 64}

The line has CloudWatch's embedded metric format. It contains the outcome, the status and the times of each group, and neither the
question nor the answer. Outcomes: ``answered``; ``refused``, with another status than 200; ``empty``, without a text; ``cut``,
without an end; ``late``, after ``seconds``; ``unreachable``, without a connection to the proxy.
"""

import http.client
import json
import os
import sys
import time
from typing import Any

RETRY_SECONDS = 0.5
OK = 200


def main() -> int:
    """Ask every group, write the line, and return 1 if a group gave no answer."""
    plan = json.loads(os.environ["SYNTHETIC_CHAT_PLAN"])
    results = [asked(plan, group, model) for group, model in plan["groups"]]
    failed = sum(one["outcome"] != "answered" for one in results)
    sys.stdout.write(line(plan, results, failed) + "\n")
    sys.stdout.flush()
    return min(failed, 1)


def line(plan: dict[str, Any], results: list[dict[str, Any]], failed: int) -> str:
    """The line of one run."""
    metrics = [
        {"Name": "Failures", "Unit": "Count"},
        {"Name": "FirstToken", "Unit": "Milliseconds"},
        {"Name": "Runs", "Unit": "Count"},
    ]
    directive = {"Namespace": plan["namespace"], "Dimensions": [["environment"]], "Metrics": metrics}
    content = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "environment": plan["environment"],
        "event": "synthetic-chat",
        "chats": results,
        "Runs": 1,
        "Failures": min(failed, 1),
        "FirstToken": [one["first_token_ms"] for one in results if one["outcome"] == "answered"],
    }
    return json.dumps(content, separators=(",", ":"))


def asked(plan: dict[str, Any], group: str, model: str) -> dict[str, Any]:
    """One chat."""
    began = time.monotonic()
    result: dict[str, Any] = {"group": group, "model": model, "outcome": "unreachable", "status": 0}
    body = {
        "model": model,
        "messages": [{"role": "user", "content": plan["prompt"]}],
        "max_completion_tokens": plan["tokens"],
        "stream": True,
    }
    deadline = began + plan["seconds"]
    try:
        connection = connected(plan["port"], deadline)
        began = time.monotonic()
        socket = connection.sock
        result["outcome"] = "cut"
        connection.request(
            "POST", f"/{group}/v1/chat/completions", json.dumps(body), {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        result["status"] = answer.status
        if answer.status == OK:
            result["outcome"] = read(answer, socket, began, deadline, result)
        else:
            result["outcome"] = "refused"
    except TimeoutError:
        result["outcome"] = "late"
    except (OSError, http.client.HTTPException):
        pass
    result["total_ms"] = milliseconds(began)
    return result


def connected(port: int, deadline: float) -> http.client.HTTPConnection:
    """A connection to the proxy, which may still be starting. Raises ``ConnectionError`` if it does not listen in time."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=max(0.1, deadline - time.monotonic()))
        try:
            connection.connect()
        except ConnectionError:
            if time.monotonic() + RETRY_SECONDS > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return connection


def read(answer: Any, socket: Any, began: float, deadline: float, result: dict[str, Any]) -> str:  # noqa: ANN401
    """Read the stream of server-sent events to its end, and return the outcome."""
    text = finished = False
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return "late"
        socket.settimeout(left)
        received = answer.readline()
        if not received:
            return "answered" if text and finished else "cut" if text else "empty"
        if not received.startswith(b"data:"):
            continue
        event = received[5:].strip()
        if event == b"[DONE]":
            finished = True
            continue
        choice = first_choice(event)
        finished = finished or bool(choice.get("finish_reason"))
        delta: dict[str, Any] = choice.get("delta") or {}
        if not text and any(one for name, one in delta.items() if name != "role"):
            text = True
            result["first_token_ms"] = milliseconds(began)


def first_choice(event: bytes) -> dict[str, Any]:
    """The first choice of an event; empty for one without, such as the counts at the end."""
    try:
        choices: Any = json.loads(event).get("choices")
        found: dict[str, Any] = dict(choices[0]) if choices else {}
    except (AttributeError, LookupError, TypeError, ValueError):
        return {}
    return found


def milliseconds(since: float) -> int:
    """Time since then."""
    return round((time.monotonic() - since) * 1000)
