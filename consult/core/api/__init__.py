"""What every JSON route stands on, one noun per file. Features import `consult.core.api` and take it from here."""

from ninja import Router

from consult.core.api.lists import Listed, Paging, cursor, listed
from consult.core.api.raw import MEDIA_TYPE, TAKES_BYTES, gives_bytes
from consult.core.api.raw import expect as expect_bytes
from consult.core.api.raw import read as read_bytes
from consult.core.api.service import Api, Enter, Go, refusing
from consult.core.api.shapes import Input, Line, Shape, Words, kept
from consult.core.api.versions import answer, etag, expect, not_modified

__all__ = [
    "MEDIA_TYPE",
    "TAKES_BYTES",
    "Api",
    "Enter",
    "Go",
    "Input",
    "Line",
    "Listed",
    "Paging",
    "Router",
    "Shape",
    "Words",
    "answer",
    "cursor",
    "etag",
    "expect",
    "expect_bytes",
    "gives_bytes",
    "kept",
    "listed",
    "not_modified",
    "read_bytes",
    "refusing",
]
