"""What every JSON route stands on, one noun per file. Features import `consult.core.api` and take it from here."""

from ninja import Router

from consult.core.api.lists import Listed, Paging, cursor, listed
from consult.core.api.service import Api, Enter, Go, refusing
from consult.core.api.shapes import Input, Line, Shape, Words, kept
from consult.core.api.versions import answer, expect

__all__ = [
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
    "expect",
    "kept",
    "listed",
    "refusing",
]
