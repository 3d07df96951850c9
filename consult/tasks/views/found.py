"""What an address names, or 404."""

from django.http import Http404

from consult.tasks import queries


def project(agency_id: int, key: str) -> queries.Project:
    """Return the project of this key, or answer 404."""
    try:
        return queries.project(agency_id, key)
    except queries.NoSuchProject as error:
        raise Http404 from error


def task(agency_id: int, key: str) -> queries.Task:
    """Return the task of this key, or answer 404."""
    try:
        return queries.task(agency_id, key)
    except queries.NoSuchTask as error:
        raise Http404 from error
