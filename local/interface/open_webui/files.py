"""Uploaded documents: stored, and indexed in the vector store."""

from __future__ import annotations

import email.parser
import email.policy
import time
import uuid
from pathlib import PurePosixPath
from typing import Any

import httpx
import sqlalchemy as sa
from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs] - it has none
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import env
from .auth import verified
from .database import first, rows
from .retrieval.vector.factory import VECTORS, chunks
from .storage import STORAGE
from .tables import FILE


def _part(content_type: str, body: bytes) -> tuple[str, str, bytes]:
    """File name, type and content of the part ``file`` of a form."""
    head = f"content-type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                return part.get_filename() or "file", part.get_content_type(), content
    raise HTTPException(422, "file: Field required")


async def upload(request: Request) -> Response:
    """Store a file and, unless ``process=false``, index it."""
    user = await verified(request)
    process = request.query_params.get("process", "true").lower() == "true"
    name, kind, content = _part(request.headers.get("content-type", ""), await request.body())
    extension = PurePosixPath(name).suffix.removeprefix(".").lower()
    if process and env.RAG_ALLOWED_FILE_EXTENSIONS and extension not in env.RAG_ALLOWED_FILE_EXTENSIONS:
        raise HTTPException(400, f"[ERROR: File type {extension} is not allowed]")
    made: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": user.id,
        "filename": name,
        "meta": {"name": name, "content_type": kind, "size": len(content)},
        "data": {},
        "created_at": int(time.time()),
    }
    try:
        made["path"] = await run_in_threadpool(STORAGE.put, f"{made['id']}_{name}", content)
    except (OSError, BotoCoreError, ClientError) as problem:
        raise HTTPException(400, f"Error uploading file: {problem}") from None
    if process:
        text = content.decode(errors="replace")
        made["data"] = {"content": text, "status": "completed"}
        collection = f"file-{made['id']}"
        about = {"name": name, "file_id": made["id"]}
        try:
            await run_in_threadpool(VECTORS.insert, collection, chunks(text), about)
        except httpx.HTTPError as problem:
            raise HTTPException(400, f"Error embedding file: {type(problem).__name__}") from None
    await run_in_threadpool(rows, sa.insert(FILE).values(made))
    return JSONResponse(
        {"status": True, **{key: made[key] for key in ("id", "user_id", "filename", "meta", "created_at")}}
    )


async def one(request: Request) -> Response:
    """Return a file's description or its content."""
    user = await verified(request)
    statement = sa.select(FILE).where(FILE.c.id == str(request.path_params["id"]), FILE.c.user_id == user.id)
    found = await run_in_threadpool(first, statement)
    if found is None:
        raise HTTPException(404, "We could not find what you're looking for :/")
    if request.url.path.endswith("/content"):
        try:
            content = await run_in_threadpool(STORAGE.get, str(found["path"]))
        except (OSError, BotoCoreError, ClientError) as problem:
            raise HTTPException(400, f"Error getting file content: {problem}") from None
        return Response(content, media_type=found["meta"]["content_type"])
    if request.method == "DELETE":
        await run_in_threadpool(STORAGE.remove, str(found["path"]))
        await run_in_threadpool(rows, sa.delete(FILE).where(FILE.c.id == found["id"]))
        return JSONResponse({"message": "File deleted successfully"})
    return JSONResponse({key: found[key] for key in ("id", "user_id", "filename", "meta", "data", "created_at")})
