"""What every JSON route stands on, one noun per file. Features import `consult.core.api` and take it from here."""

from ninja import Router

from consult.core.api.lists import Listed, Paging, cursor, listed
from consult.core.api.service import Api, Enter, Go, refusing
from consult.core.api.shapes import Input, Line, Shape, Text
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
    "Text",
    "answer",
    "cursor",
    "expect",
    "listed",
    "refusing",
]
