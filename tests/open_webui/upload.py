"""Upload files to the application and print what it made of them: a script that runs in the application's network namespace.

``python upload.py URL FILE …`` prints a JSON object: file name → status, and the extracted text or the error.
"""

from __future__ import annotations

import json
import mimetypes
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECONDS = 120
HEADERS = {"x-user-email": "ann@example.com", "x-user-name": "Ann", "x-user-role": "user"}


def ask(url: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, Any]:
    """Status and content of an answer: to a POST if there is a body."""
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - loopback
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def upload(url: str, session: str, file: Path) -> tuple[int, str]:
    """Upload one file as the pages do, and wait until it was read. Returns the status, and the text or the error."""
    boundary = uuid.uuid4().hex
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{file.name}"\r\ncontent-type: {kind}\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    bearer = {"authorization": f"Bearer {session}"}
    form = {"content-type": f"multipart/form-data; boundary={boundary}"}
    status, made = ask(f"{url}/api/v1/files/", {**bearer, **form}, body)
    if status != 200:
        return status, str(made["detail"])
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        _, found = ask(f"{url}/api/v1/files/{made['id']}", bearer)
        state = found["data"].get("status")
        if state == "completed":
            return status, str(found["data"].get("content", ""))
        if state == "failed":
            return 500, str(found["data"].get("error"))
        time.sleep(0.2)
    return 504, "it was not read in time"


def main(url: str, files: list[str]) -> None:
    """Sign in, and upload each file."""
    body = json.dumps({"email": "", "password": ""}).encode()
    _, session = ask(f"{url}/api/v1/auths/signin", {**HEADERS, "content-type": "application/json"}, body)
    print(json.dumps({Path(one).name: upload(url, session["token"], Path(one)) for one in files}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
