"""A multipart request by itself, read as the edge reads it, without a server."""

import asyncio
import pathlib
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from typing import Any, cast

from edge import bounds, files, forms, http, payload, uploads

TYPE = "multipart/form-data; boundary=xYx"
KEY = "frm_" + "k" * 22


def form(**changes: Any) -> forms.Form:
    """A form of agency 7 that takes three files, at most 1,000,000 bytes each and 2,000,000 together."""
    rules: dict[str, Any] = {"count": 3, "bytes": 1_000_000, "total": 2_000_000, "types": (), **changes}
    return forms.Form(key=KEY, version=1, agency_id=7, name="Contact", files=forms.Files(**rules))


def part(name: str, content: bytes | str, filename: str | None = None) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    named = f'; filename="{filename}"' if filename is not None else ""
    return f'--xYx\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + raw + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xYx--\r\n"


class _Headers:
    def __init__(self, sent: dict[str, str]) -> None:
        self._sent = sent

    def get(self, key: str, default: str | None = None) -> str | None:
        return self._sent.get(key, default)


class _Scope:
    method, path, query_string, client = "POST", f"/f/{KEY}", "", "127.0.0.1:5"

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers: http.Headers = _Headers(headers)


class Exchange:
    """Hands out a body in chunks; `pause` is waited for before the last one."""

    def __init__(self, chunks: Sequence[bytes], pause: asyncio.Event | None = None) -> None:
        self._chunks = chunks
        self._pause = pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, chunk in enumerate(self._chunks):
            if self._pause is not None and number == len(self._chunks) - 1:
                await self._pause.wait()
            yield chunk
        yield b""

    def __call__(self) -> Awaitable[bytes]:
        raise NotImplementedError

    async def client_disconnect(self) -> None:
        raise NotImplementedError

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        raise NotImplementedError

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> http.Transport:
        raise NotImplementedError


def request(sent: bytes, *, size: int | None = None, pause: asyncio.Event | None = None, **more: str) -> http.Request:
    headers = {"content-length": str(len(sent) if size is None else size), **more}
    chunks = [sent[start : start + 50_000] for start in range(0, len(sent), 50_000)]
    return http.Request(_Scope(headers), Exchange(chunks, pause))


def read(
    storage: files.Storage,
    sent: bytes,
    known: forms.Form | None,
    limits: bounds.Bounds = bounds.DEFAULT,
    *,
    size: int | None = None,
    pause: asyncio.Event | None = None,
    content_type: str = TYPE,
) -> payload.Payload:
    asked = request(sent, size=size, pause=pause)
    return asyncio.run(uploads.Uploads(storage, limits, http.Deadlines()).read(asked, known, content_type))


def parsed(sent: bytes, content_type: str, limits: bounds.Bounds = bounds.DEFAULT) -> payload.Payload:
    """A content for a form that takes no files, by the way that the edge takes with its type."""
    if content_type.partition(";")[0].strip().lower() != payload.MULTIPART:
        return payload.parse(sent, content_type, limits)
    # Without files nothing touches a storage.
    return read(cast(files.Storage, None), sent, None, limits, content_type=content_type)


def left(root: pathlib.Path) -> list[str]:
    """Every file that lies there, with its path."""
    return sorted(_left(root))


def _left(root: pathlib.Path) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(root))
