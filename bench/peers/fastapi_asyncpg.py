"""Peer (b): FastAPI with asyncpg on uvicorn (uvloop, httptools)."""

import contextlib
import datetime
import hashlib
import json
import os
import secrets
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import fastapi
from fastapi.responses import JSONResponse

FIND_FORM = """
    SELECT f.agency_id, f.id, f.version, v.honeypot
      FROM intake_form f
      JOIN intake_formversion v ON (v.agency_id, v.form_id, v.version) = (f.agency_id, f.id, f.version)
     WHERE f.key = $1
"""
INSERT = """
    INSERT INTO intake_submission (
        id, agency_id, created_at, form_id, form_version, receipt, received_at, fields, page_url, referrer, origin,
        remote_addr, user_agent, content_type, signals, digest, spooled)
    VALUES ($1, $2, $3, $4, $5, $6, $3, $7, $8, $8, $9, $10, $11, $12, $13, $14, false)
"""


async def _keep_as_it_is(_connection: object) -> None:
    """Nothing here changes a session: the pool's usual reset would cost a second round trip for each request."""


@contextlib.asynccontextmanager
async def lifespan(app: fastapi.FastAPI) -> AsyncIterator[None]:
    size = int(os.environ["PEER_POOL"])
    # asyncpg prepares each statement once for each connection.
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=size, max_size=size, reset=_keep_as_it_is
    ) as pool:
        app.state.pool = pool
        app.state.forms = {}
        yield


app = fastapi.FastAPI(lifespan=lifespan, openapi_url=None)


@app.post("/f/{key}")
async def submit(key: str, sent: dict[str, Any], request: fastapi.Request) -> JSONResponse:
    state = app.state
    form = state.forms.get(key)
    if form is None:
        form = await state.pool.fetchrow(FIND_FORM, key)
        if form is None:
            raise fastapi.HTTPException(404, "unknown_form")
        state.forms[key] = form
    trap = sent.pop(form["honeypot"], "")
    fields = json.dumps(list(sent.items()))
    id = uuid.uuid4()
    receipt = secrets.token_hex(6)
    headers = request.headers
    await state.pool.execute(
        INSERT,
        id,
        form["agency_id"],
        datetime.datetime.now(datetime.UTC),
        form["id"],
        form["version"],
        receipt,
        fields,
        headers.get("referer", ""),
        headers.get("origin", ""),
        request.client.host if request.client else "",
        headers.get("user-agent", ""),
        headers.get("content-type", ""),
        '["honeypot"]' if trap else "[]",
        hashlib.md5(fields.encode(), usedforsecurity=False).digest(),
    )
    return JSONResponse({"ok": True, "id": str(id), "receipt": receipt}, 201)
