"""What an address asks for."""

from uuid import UUID

from django.http import HttpRequest


def text(request: HttpRequest, name: str) -> str:
    """Return a text of the query string; Postgres text holds no NUL."""
    return request.GET.get(name, "").replace("\0", "").strip()[:400]


def id(request: HttpRequest, name: str) -> UUID | None:
    """Return an id of the query string, or None when it is none."""
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None


def posted_id(request: HttpRequest, name: str) -> UUID | None:
    """Return an id of a form, or None when it is none."""
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        return None
