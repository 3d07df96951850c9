"""Files in S3-compatible storage: s3://bucket/prefix?endpoint=https://s3.example&region=eu-central-1

Credentials are AWS's usual variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), each also as
NAME_FILE; without them those of the machine are asked for. A bucket's own rule has to end uploads that never ended.
"""

import datetime
import os
import pathlib
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from edge import files

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_PART_BYTES = 5 * 1024 * 1024
_CREDENTIALS = {
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
}
# A visitor waits: what does not answer soon is told as away.
_CONNECT_SECONDS, _ANSWER_SECONDS, _RETRY_SECONDS = 3, 30, 10


class Bucket:
    """Implements files.Storage; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Opens no connection. Raises files.Unusable."""
        parts = urlsplit(url)
        told = {name: values[0] for name, values in parse_qs(parts.query).items()}
        config: dict[str, str] = {name: told[name] for name in ("endpoint", "region") if name in told}
        try:
            config |= {name: value for name, variable in _CREDENTIALS.items() if (value := _secret(variable))}
            self._store = S3Store(
                parts.hostname or "",
                prefix=parts.path.strip("/") or None,
                config=cast("S3Config", config),
                client_options=cast(
                    "ClientConfig",
                    {
                        "allow_http": told.get("endpoint", "").startswith("http://"),
                        "connect_timeout": datetime.timedelta(seconds=_CONNECT_SECONDS),
                        "timeout": datetime.timedelta(seconds=_ANSWER_SECONDS),
                    },
                ),
                retry_config={"max_retries": 3, "retry_timeout": datetime.timedelta(seconds=_RETRY_SECONDS)},
            )
        except (BaseError, OSError, ValueError) as error:
            raise files.Unusable(f"CONSULT_FILES_URL: the bucket cannot be used ({type(error).__name__})") from error

    def temporary(self) -> BinaryIO:
        """Without a name: it is gone when it is closed, or when we are killed. TMPDIR says on which disk."""
        return cast(BinaryIO, tempfile.TemporaryFile())

    def keep(self, drafts: Sequence[tuple[BinaryIO, str]]) -> None:
        """Raises files.Unavailable. An object is there as a whole or not at all."""
        kept: list[str] = []
        try:
            for file, location in drafts:
                file.seek(0)
                kept.append(location)
                obstore.put(self._store, location, file, chunk_size=_PART_BYTES, max_concurrency=2)
                file.close()
        except (BaseError, OSError) as error:
            self.remove(kept)
            raise files.Unavailable(type(error).__name__) from error

    def remove(self, locations: Sequence[str]) -> None:
        """What cannot be removed stays; nothing names it."""
        for location in locations:
            try:
                obstore.delete(self._store, location)
            except (BaseError, FileNotFoundError):
                continue


def _secret(name: str) -> str:
    path = os.environ.get(f"{name}_FILE", "")
    return pathlib.Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name, "")
